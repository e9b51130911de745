// Builds ../static and ../icons from the pinned packages. The results are
// committed, so that building the product needs Go alone.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const out = "../static";
const modules = "node_modules";
mkdirSync(`${out}/fonts`, { recursive: true });

execFileSync(`${modules}/.bin/tailwindcss`, ["-i", "app.css", "-o", `${out}/app.css`, "--minify"], { stdio: "inherit" });

const copies = {
  "htmx.js": "htmx.org/dist/htmx.min.js",
  "hx-csp.js": "htmx.org/dist/ext/hx-csp.min.js",
  "alpine.js": "@alpinejs/csp/dist/cdn.min.js",
  "uplot.js": "uplot/dist/uPlot.iife.min.js",
  "uplot.css": "uplot/dist/uPlot.min.css",
};
for (const [to, from] of Object.entries(copies)) {
  const text = readFileSync(`${modules}/${from}`, "utf8").replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
  writeFileSync(`${out}/${to}`, text);
}
copyFileSync("app.js", `${out}/app.js`);
copyFileSync("series.js", `${out}/series.js`);
copyFileSync("icon.svg", `${out}/icon.svg`);

for (const [family, subsets, weights] of [
  ["ibm-plex-sans-arabic", ["arabic", "latin"], [400, 500, 600]],
  ["ibm-plex-mono", ["latin"], [400, 500]],
]) {
  for (const subset of subsets) {
    for (const weight of weights) {
      const file = `${family}-${subset}-${weight}-normal.woff2`;
      copyFileSync(`${modules}/@fontsource/${family}/files/${file}`, `${out}/fonts/${file}`);
    }
  }
}

rmSync("../icons", { recursive: true, force: true });
mkdirSync("../icons", { recursive: true });
for (const name of JSON.parse(readFileSync("icons.json", "utf8"))) {
  const from = `${modules}/lucide-static/icons/${name}.svg`;
  if (!existsSync(from)) throw new Error(`lucide has no icon ${name}`);
  copyFileSync(from, `../icons/${name}.svg`);
}

const packages = ["htmx.org", "@alpinejs/csp", "uplot", "@fontsource/ibm-plex-sans-arabic", "@fontsource/ibm-plex-mono", "lucide-static", "tailwindcss"];
let notice = "Third-party works in this folder and in the icon set\n";
for (const name of packages) {
  const { version, license } = JSON.parse(readFileSync(`${modules}/${name}/package.json`, "utf8"));
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].find((f) => existsSync(`${modules}/${name}/${f}`));
  const text = file ? readFileSync(`${modules}/${name}/${file}`, "utf8").trim() : `Licence: ${license}`;
  notice += `\n${"=".repeat(72)}\n${name} ${version} (${license})\n\n${text}\n`;
}
writeFileSync(`${out}/NOTICE.txt`, notice);
