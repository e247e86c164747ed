// node lint_openapi.mjs FILE...: checks OpenAPI documents against redocly.yaml. Exits with 1 when there is a fault.
import { fileURLToPath } from "node:url";
import core from "@redocly/openapi-core";

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: node lint_openapi.mjs FILE...");
  process.exit(2);
}
const config = await core.loadConfig({ configPath: fileURLToPath(new URL("redocly.yaml", import.meta.url)) });
let faults = 0;
for (const file of files) {
  const problems = await core.lint({ ref: file, config });
  core.formatProblems(problems, { format: "codeframe", totals: core.getTotals(problems), version: core.VERSION });
  faults += problems.length;
}
console.log(faults === 0 ? `no faults in ${files.join(", ")}` : `faults: ${faults}`);
process.exit(faults === 0 ? 0 : 1);
