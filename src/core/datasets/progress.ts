/** How far an import has come. */
export interface Progress {
  readonly done: number;
  /** A total that is not known exactly is an estimate. */
  readonly total: number;
  readonly unit: "bytes" | "images";
}

export type OnProgress = (progress: Progress) => void;

/** Counts the bytes of a file that is read `passes` times. */
export function byteCounter(size: number, passes: number, onProgress: OnProgress | undefined): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done += bytes;
    const total = size * passes;
    onProgress?.({ done: Math.min(done, total), total, unit: "bytes" });
  };
}
