/** The TypeScript blocks of a Markdown page that are marked to be run: fenced as ```ts run. */

export interface CodeBlock {
  readonly code: string
  /** Of the block's first line of code. */
  readonly line: number
}

export function runnableBlocks(markdown: string): CodeBlock[] {
  const fence = /^```ts run[ \t]*\r?\n([\s\S]*?)^```[ \t]*$/gm
  return [...markdown.matchAll(fence)].map((match) => ({
    code: match[1] as string,
    line: markdown.slice(0, match.index).split('\n').length + 1,
  }))
}
