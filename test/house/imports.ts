/** Reads which modules a TypeScript file imports, in every form that the language has, type imports included. */
import { parseSync, Visitor } from 'vite'

export interface FoundImport {
  readonly specifier: string
  readonly line: number
}

interface Literal {
  readonly type: string
  readonly value?: unknown
  readonly start: number
}

/** Throws where the source does not parse: half a list of imports would pass for a whole one. */
export function importsOf(source: string, fileName: string): FoundImport[] {
  const { program, errors } = parseSync(fileName, source)
  const fatal = errors.find((error) => error.severity === 'Error')
  if (fatal) throw new Error(`${fileName}: ${fatal.message}`)

  const found: FoundImport[] = []
  const add = (literal: Literal | null | undefined) => {
    if (typeof literal?.value !== 'string') return
    found.push({ specifier: literal.value, line: source.slice(0, literal.start).split('\n').length })
  }
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    // A computed specifier, as optional peers are loaded by, names no file of ours.
    ImportExpression: (node) => add(node.source as Literal),
    TSImportType: (node) => add(node.source as Literal),
    TSExternalModuleReference: (node) => add(node.expression as Literal),
    // A worker's file is an import in all but name: new URL('./worker.ts', import.meta.url).
    NewExpression: (node) => {
      const [path, base] = node.arguments
      const isUrl = node.callee.type === 'Identifier' && node.callee.name === 'URL' && base !== undefined
      if (isUrl && source.slice(base.start, base.end) === 'import.meta.url') add(path as Literal)
    },
  }).visit(program)
  return found
}
