// @ts-check
/**
 * Which `exports` the sources ask for, and where package.json disagrees.
 *
 * The rule: `src/index.ts` is `.`; a folder of `src/storages/` or `src/serializers/` with an index.ts, `src/testing/index.ts` and
 * `src/devtools/index.ts` are a sub-path of the folder's name; a file of `src/integrations/`, or a folder there
 * with an index.ts, is a sub-path of its name. Nothing else can be imported from outside.
 */

/** @typedef {{ types: string, default: string }} Target */

const PATTERNS = [
  /^src\/(?:storages|serializers)\/([^/]+)\/index\.ts$/,
  /^src\/(testing|devtools)\/index\.ts$/,
  /^src\/integrations\/([^/]+)\/index\.tsx?$/,
  /^src\/integrations\/([^/]+)\.tsx?$/,
]

/**
 * @param {readonly string[]} sourceFiles paths from the package's folder, with `/`
 * @returns {Record<string, Target | string>}
 */
export function expectedExports(sourceFiles) {
  /** @type {Map<string, Target>} */
  const found = new Map()
  for (const file of [...sourceFiles].sort()) {
    const name = file === 'src/index.ts' ? '.' : subPath(file)
    if (name) found.set(name, targetOf(file))
  }
  return { ...Object.fromEntries(found), './package.json': './package.json' }
}

/** @param {string} file */
function subPath(file) {
  if (/\.test\.tsx?$/.test(file)) return undefined
  for (const pattern of PATTERNS) {
    const name = pattern.exec(file)?.[1]
    if (name) return `./${name}`
  }
  return undefined
}

/** @param {string} file @returns {Target} */
function targetOf(file) {
  const built = file.replace(/^src\//, './dist/').replace(/\.tsx?$/, '')
  return { types: `${built}.d.ts`, default: `${built}.js` }
}

/**
 * One line for each disagreement; none when all is well.
 *
 * @param {Record<string, unknown>} declared the `exports` of package.json
 * @param {readonly string[]} sourceFiles
 * @param {(path: string) => boolean} exists asked for every target, after the build
 * @returns {string[]}
 */
export function exportProblems(declared, sourceFiles, exists) {
  const expected = expectedExports(sourceFiles)
  const problems = []
  for (const [name, target] of Object.entries(expected)) {
    const line = `${JSON.stringify(name)}: ${JSON.stringify(target)}`
    if (!(name in declared)) problems.push(`package.json "exports" lacks ${line}`)
    // As text, since the order counts too: the first condition that matches is taken.
    else if (JSON.stringify(declared[name]) !== JSON.stringify(target))
      problems.push(`package.json "exports" should say ${line}, not ${JSON.stringify(declared[name])}`)
    else
      for (const path of typeof target === 'string' ? [target] : Object.values(target))
        if (!exists(path))
          problems.push(`package.json "exports" names ${path} as ${name}, and the build makes none`)
  }
  for (const name of Object.keys(declared))
    if (!(name in expected))
      problems.push(`package.json "exports" has ${name}, and no source of src/ is behind it`)
  return problems
}
