import "./node.js";
export * from "./out/main/library.js";
