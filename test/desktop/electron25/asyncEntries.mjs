/** CommonJS has no top-level await: wraps the statements of an entry that uses it in an async function. */
export const asyncEntries = {
  name: "async-entries",
  enforce: "post",
  transform(code, id) {
    if (!this.getModuleInfo(id)?.isEntry || !/^(await|.*[ (]await) /m.test(code)) return null;
    const { body } = this.parse(code);
    if (body.some(({ type }) => type.startsWith("Export"))) return null;
    const isImport = ({ type }) => type === "ImportDeclaration";
    const text = (nodes) => nodes.map(({ start, end }) => code.slice(start, end)).join("\n");
    return { code: `${text(body.filter(isImport))}\n(async () => {\n${text(body.filter((node) => !isImport(node)))}\n})();\n`, map: null };
  },
};
