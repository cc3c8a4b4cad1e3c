import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Threads that the sources start are TypeScript as well, which Node 20 does not run by itself.
    execArgv: ['--import', fileURLToPath(new URL('test/typescript-loader.mjs', import.meta.url))],
  },
})
