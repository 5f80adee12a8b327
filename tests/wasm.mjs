// A Python file in Pyodide under Node: node wasm.mjs '{"pyodide": DIR, "packages": [NAME], "project": DIR, "modules": [PATH], "argv": [FILE, …]}'
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const asked = JSON.parse(process.argv[2]);
const { loadPyodide } = await import(pathToFileURL(`${asked.pyodide}/pyodide.mjs`));
const pyodide = await loadPyodide({ indexURL: `${asked.pyodide}/`, stdout: console.log, stderr: console.error });
await pyodide.loadPackage(asked.packages, { messageCallback: () => {} });
pyodide.mountNodeFS("/project", asked.project);
pyodide.FS.mkdirTree("/packages");
for (const path of asked.modules) {
  const place = `/packages/${basename(path)}`;
  if (statSync(path).isDirectory()) pyodide.mountNodeFS(place, path);
  else pyodide.FS.writeFile(place, readFileSync(path));
}
const prepare = pyodide.runPython(`
import json, os, sys
os.chdir("/project")
sys.path[:0] = ["/project", "/packages"]
sys.dont_write_bytecode = True  # it would land in the folders of this machine
lambda argv: setattr(sys, "argv", json.loads(argv))`);
prepare(JSON.stringify(asked.argv));
try {
  pyodide.runPython(readFileSync(asked.argv[0], "utf8"), { filename: asked.argv[0] });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
