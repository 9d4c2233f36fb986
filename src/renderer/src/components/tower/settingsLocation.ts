/** Location of settings in the form: a level's own, or a group's. */
export interface SettingsLocation {
  /** Path of their fields: `tower.0`, `tower.0.groups.1`. */
  readonly path: string;
  readonly testid: string;
  /** Name within a sentence: "level 0", "group bias of level 0". */
  readonly words: string;
  readonly level: number;
}

export function levelLocation(level: number): SettingsLocation {
  return { path: `tower.${level}`, testid: `stack-level-${level}`, words: `level ${level}`, level };
}

export function groupLocation(level: number, index: number, name: string): SettingsLocation {
  return { path: `tower.${level}.groups.${index}`, testid: `stack-level-${level}-group-${index}`, words: `group ${name} of level ${level}`, level };
}
