/** A run that cannot be exported as asked; the message says why, for people. */
export class ExportError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ExportError";
  }
}
