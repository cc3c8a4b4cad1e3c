/**
 * Keeps the methods of strings fast, in the whole process.
 *
 * V8 puts an object into a slow mode when it becomes the prototype of another, and out of it when a property of it is next
 * read by way of an object. Nobody reads those of `String.prototype` so, since strings are no objects: one
 * `class X extends String` anywhere, and node-redis and the AWS SDK have one, makes each call of a string's method three to
 * five times as slow from then on. What has been put out of that mode once, no other such class puts into it again. To other
 * engines this is nothing. Imports nothing.
 *
 * Found by others, too: https://github.com/inikulin/parse5/issues/1348
 */

/** V8 remembers what a read has met only in a function that has run for a while. */
const READS = 1_000

let areKept = false

export function keepStringsFast(): void {
  if (areKept) return
  areKept = true
  for (let i = 0; i < READS; i++) void String.prototype.slice
}
