// node validate_json.mjs SCHEMA FILE...: checks JSON files against a JSON Schema (draft 7). Exits with 1 when there is
// a fault.
import { readFileSync } from "node:fs";
import Ajv from "@redocly/ajv";

const [schema, ...files] = process.argv.slice(2);
if (files.length === 0) {
  console.error("usage: node validate_json.mjs SCHEMA FILE...");
  process.exit(2);
}
const read = (file) => JSON.parse(readFileSync(file, "utf8"));
const Validator = Ajv.default ?? Ajv;
const valid = new Validator({ allErrors: true, strict: false }).compile(read(schema));
let faults = 0;
for (const file of files) {
  if (valid(read(file))) continue;
  for (const fault of valid.errors) console.log(`${file}${fault.instancePath}: ${fault.message}`);
  ++faults;
}
process.exit(faults === 0 ? 0 : 1);
