/** Writes many lines into a log file as fast as it can: `logWriter FOLDER NAME LINES BYTES FILES`. */
import { LogFile } from "../../src/main/logs/logFile.ts";

const [, , folder, name, lines, bytes, files] = process.argv;
const file = new LogFile(folder!, { bytes: Number(bytes), files: Number(files) });
for (let line = 0; line < Number(lines); line++) file.append(JSON.stringify({ name, line, text: "x".repeat(line % 200) }));
