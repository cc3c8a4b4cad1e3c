import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/build-dist.ts', 'test/servers/global-setup.ts'],
    testTimeout: 60_000,
    // Real servers, processes and signals on a machine that others use as well: one more try before it is a failure.
    retry: process.env['CI'] ? 1 : 0,
    hookTimeout: 120_000,
    // Threads that the sources start are TypeScript as well, which Node 20 does not run by itself.
    execArgv: ['--import', fileURLToPath(new URL('test/typescript-loader.mjs', import.meta.url))],
    coverage: {
      provider: 'v8',
      include: ['src/**'],
      // Interfaces only: there is nothing in them to run.
      exclude: ['src/**/*.test.ts', 'src/ports/**'],
      reportsDirectory: 'coverage',
      reporter: [['text', { maxCols: 140 }], 'json-summary'],
    },
  },
})
