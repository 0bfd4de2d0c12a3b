import { configDefaults, defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    globalSetup: "test/brokers-present.ts",
    include: ["packages/**/src/**/*.test.ts", "packages/**/examples/**/*.test.ts", "test/**/*.test.ts"],
    // An example with a configuration of its own, which test/own-broker.test.ts runs.
    exclude: [...configDefaults.exclude, "test/own-broker/**"],
    // Most of them wait for processes, brokers and deadlines: more at a time than there are cores to spare.
    maxWorkers: 3,
    // Two cores, many tests that start processes: what waits for a condition gets the time of a slow machine.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default config;
