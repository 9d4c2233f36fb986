/** Whether a process of this machine runs. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists, but may not be signaled.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
