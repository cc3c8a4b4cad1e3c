import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/servers/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
<<<<<<< HEAD
    coverage: {
      provider: 'v8',
      include: ['src/**'],
      // Interfaces only: there is nothing in them to run.
      exclude: ['src/**/*.test.ts', 'src/ports/**'],
      reportsDirectory: 'coverage',
      reporter: [['text', { maxCols: 140 }], 'json-summary'],
    },
=======
    globalSetup: ['test/build-dist.ts'],
>>>>>>> sqlite
  },
})
