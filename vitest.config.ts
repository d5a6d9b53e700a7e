import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Libraries load graphql's CommonJS entry, and two copies of graphql do not know each other's types.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: [
      'src/**/*.test.ts',
      'client/**/*.test.ts',
      'device-sim/**/*.test.ts',
      'test/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', 'dist/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Most of what a test allocates is gone at its end: room for it saves collecting.
    execArgv: ['--max-semi-space-size=64'],
    // A worker keeps the program loaded and its code compiled from file to file: that is a third of the processor's time.
    // So a test puts back what it changes in the process, and figures of the whole process are not its own alone.
    isolate: false,
    // Each worker runs its own embedded database; more of them only fight for the processor.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
