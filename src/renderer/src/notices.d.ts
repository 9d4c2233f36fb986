/** License texts of the packages in the workbench, made by scripts/supply when it is built. */
declare module "virtual:notices" {
  export interface Notice {
    readonly name: string;
    readonly version: string;
    /** As the package names it (SPDX). */
    readonly license: string;
    /** Empty where the package carries none. */
    readonly text: string;
  }
  const notices: readonly Notice[];
  export default notices;
}
