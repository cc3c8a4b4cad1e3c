/**
 * What any library could do beside node-redis, whose class that extends String makes the methods of all strings slow on V8:
 * read one of them by way of an object until V8 has put that right.
 */
export function keepStringsFast() {
  for (let i = 0; i < 1_000; i++) void String.prototype.slice
}
