import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Relative addresses, no source maps: the page is served by the service and works with no internet.
export default defineConfig({
  base: "./",
  plugins: [svelte()],
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 0, reportCompressedSize: false },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
