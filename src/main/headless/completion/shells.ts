/** Scripts that let a shell ask `hypertower __complete` for candidates. */
export const shells = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

/** `@{` stands for the shell's `${`, which a template would take for its own. */
const script = (text: string) => text.replaceAll("@{", "${");

const bash = script(String.raw`# Completion of hypertower for bash (3.2 or later).
_hypertower() {
  local IFS=$'\n' words=() word glue=0 count=0 i
  # Bash splits words at = and : where COMP_WORDBREAKS says so; put them together again.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word="@{COMP_WORDS[i]}"
    if ((count > 0)) && { ((glue)) || [[ $word =~ ^[=:]+$ ]]; }; then
      words[count - 1]="@{words[count - 1]}$word"
    else
      words[count]="$word"
      count=$((count + 1))
    fi
    if [[ $word =~ ^[=:]+$ ]]; then glue=1; else glue=0; fi
  done
  # What bash will not replace: the part of the word before its last = or :.
  local current="@{words[count - 1]}" last="@{COMP_WORDS[COMP_CWORD]}" kept quote=""
  if [[ $last =~ ^[=:]+$ ]]; then kept="$current"; else kept="@{current%"$last"}"; fi
  case "$current" in
    [\"\']*)
      quote="@{current:0:1}"
      current="@{current:1}"
      ;;
    *) current="@{current//\\/}" ;;
  esac
  words[count - 1]="$current"
  local added="" value description first=1
  COMPREPLY=()
  while IFS=$'\t' read -r value description; do
    if ((first)); then
      added="$value"
      first=0
      continue
    fi
    value="@{value#"$kept"}"
    if [[ -z $quote && $value == *[!A-Za-z0-9_./:=+,@%-]* ]]; then printf -v value '%q' "$value"; fi
    COMPREPLY+=("$value")
  done < <("@{COMP_WORDS[0]}" __complete "$((count - 1))" "@{words[@]}" 2> /dev/null)
  case "$added" in
    files)
      compopt -o filenames 2> /dev/null
      COMPREPLY+=($(compgen -f -- "$last"))
      ;;
    folders)
      compopt -o filenames 2> /dev/null
      COMPREPLY+=($(compgen -d -- "$last"))
      ;;
  esac
}
complete -F _hypertower hypertower
`);

const zsh = script(String.raw`#compdef hypertower
# Completion of hypertower for zsh: as a file _hypertower in $fpath, or sourced after compinit.
_hypertower() {
  local -a lines described
  local line value added
  lines=("@{(@f)$("@{(Q)words[1]}" __complete $((CURRENT - 2)) "@{(@Q)words[2,CURRENT]}" 2> /dev/null)}")
  added="@{lines[1]}"
  shift lines
  for line in "@{lines[@]}"; do
    value="@{line%%$'\t'*}"
    [[ -n $value ]] && described+=("@{value//:/\\:}:@{line#*$'\t'}")
  done
  ((@{#described})) && _describe -V values described
  case "$added" in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _hypertower ]]; then
  _hypertower "$@"
else
  compdef _hypertower hypertower
fi
`);

const fish = script(String.raw`# Completion of hypertower for fish.
function __hypertower_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l lines ($program __complete (count $words) $words "$current" 2>/dev/null)
    switch "$lines[1]"
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
    end
    set -e lines[1]
    printf '%s\n' $lines
end
complete -c hypertower -f -a '(__hypertower_complete)'
`);

const powershell = String.raw`# Completion of hypertower for PowerShell (5.1 or later).
Register-ArgumentCompleter -Native -CommandName @('hypertower', 'hypertower.cmd', 'hypertower.ps1') -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.StartOffset -lt $cursorPosition } | ForEach-Object {
            if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
        })
    $program = $words[0]
    $before = @($words | Select-Object -Skip 1)
    if ($wordToComplete -ne '' -and $before.Count -gt 0) { $before = @($before | Select-Object -First ($before.Count - 1)) }
    $current = $wordToComplete.Trim("'", '"')
    # An empty word is left out: older versions do not pass it on.
    $asked = @($before.Count) + $before
    if ($current -ne '') { $asked += $current }
    $lines = @(& $program __complete @asked 2>$null)
    $lines | Select-Object -Skip 1 | ForEach-Object {
        $value, $description = $_ -split [char]9, 2
        $text = if ($value -match '[^\w./:=+%-]') { "'" + $value.Replace("'", "''") + "'" } else { $value }
        $tip = if ([string]::IsNullOrWhiteSpace($description)) { $value } else { $description }
        [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $tip)
    }
}
`;

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish, powershell };

export const scriptFor = (shell: Shell): string => scripts[shell];
