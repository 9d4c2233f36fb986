/** Filtering the list of studies. */
import type { StudyStatus, StudySummary } from "@shared/study/result.ts";
import { axesInWords, baseInWords, studyStatusLabels, studyTitle } from "./studyWords.ts";

/**
 * Studies of a status whose name, id, tags, axes or base contains every word of the text; newest first.
 * @param tag empty for any
 */
export function filterStudies(studies: readonly StudySummary[], text: string, status: StudyStatus | "all", tag = ""): StudySummary[] {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return studies
    .filter((study) => {
      if (status !== "all" && study.status !== status) return false;
      if (tag !== "" && !study.tags?.includes(tag)) return false;
      if (words.length === 0) return true;
      const all = `${studyTitle(study)} ${study.id} ${study.tags?.join(" ") ?? ""} ${axesInWords(study.study)} ${baseInWords(study.study)} ${studyStatusLabels[study.status]}`.toLowerCase();
      return words.every((word) => all.includes(word));
    })
    .sort((a, b) => b.createdAt - a.createdAt);
}
