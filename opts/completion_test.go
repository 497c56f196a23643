package opts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completions lets a shell complete the last of the words and gives what it
// offers. The working directory holds the file "a file.txt" alone.
type completions func(t *testing.T, words ...string) []string

// shellScript runs a script after the shell has read the completion.
func shellScript(t *testing.T, shell, script string, args ...string) []string {
	t.Helper()
	text, err := Completion(shell)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a file.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "_sock")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	options := map[string][]string{"bash": {"--norc", "-c"}, "zsh": {"-f", "-c"}, "fish": {"--no-config", "-c"}}[shell]
	words := append(options, script)
	if shell != "fish" { // the others call the first word $0
		words = append(words, shell)
	}
	cmd := exec.Command(shell, append(append(words, file), args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=dumb")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", shell, err, out)
	}
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n")
}

func bashCompletions(t *testing.T, words ...string) []string {
	return shellScript(t, "bash", `
		source "$1"; shift
		complete -p sock >/dev/null || exit 1
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_sock
		printf '%s\n' "${COMPREPLY[@]}"`, words...)
}

func fishCompletions(t *testing.T, words ...string) []string {
	offers := shellScript(t, "fish", `source $argv[1]; complete -C "$argv[2]"`, strings.Join(words, " "))
	for i, o := range offers {
		offers[i], _, _ = strings.Cut(o, "\t") // the description follows
	}
	return offers
}

// zshCompletions types the words at a zsh on a pseudo-terminal, with a compadd
// that reports what it is given.
func zshCompletions(t *testing.T, words ...string) []string {
	return shellScript(t, "zsh", `
		file=$1 line=$2
		zmodload zsh/zpty || exit 1
		zpty z zsh -f -i
		# PS1 and PS2 would stand before the offers.
		zpty -w z "PS1= PS2=; autoload -Uz compinit; compinit -u -D; source '$file'"
		zpty -w z 'compadd() {
			[[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd "$@"; return }
			local -a found; builtin compadd -A found "$@"; print -rl -- "offer:"$^found; builtin compadd "$@" }'
		zpty -w z 'done-completing() { zle complete-word; print -r -- "the-"end; zle kill-buffer }'
		zpty -w z 'zle -N done-completing; bindkey "^T" done-completing; print -r -- the-"start"'
		zpty -r -m z out '*the-start*' || exit 1
		zpty -n -w z "$line"$'\x14'
		zpty -r -m z out '*the-end*' || exit 1
		print -r -- "$out" | tr -d '\r' | sed -n 's/^.*offer://p'
		zpty -d z`, strings.Join(words, " "))
}

func TestCompletion(t *testing.T) {
	for _, shell := range []struct {
		name     string
		complete completions
	}{{"bash", bashCompletions}, {"zsh", zshCompletions}, {"fish", fishCompletions}} {
		t.Run(shell.name, func(t *testing.T) {
			if _, err := exec.LookPath(shell.name); err != nil {
				t.Skipf("no %s: apt-get install %s", shell.name, shell.name)
			}
			offers := shell.complete(t, "sock", "-")
			for _, f := range Flags() {
				for _, form := range f.forms() {
					trimmed := func(o string) bool { return strings.TrimSuffix(o, "=") == form }
					if !slices.ContainsFunc(offers, trimmed) {
						t.Errorf("after - it does not offer %s, only %v", form, offers)
					}
				}
			}
			for _, test := range []struct {
				words []string
				want  string
			}{
				{[]string{"sock", "-v", "--connect-t"}, "--connect-timeout"},
				{[]string{"sock", "--file", "a"}, "a file.txt"},
				{[]string{"sock", "--completion", "z"}, "zsh"},
				{[]string{"sock", "-v", "localhost", "telne"}, "telnet"},
				{[]string{"sock", "-g", "localho"}, "localhost"},
				{[]string{"sock", "localho"}, "localhost"},
			} {
				if _, err := os.Stat("/etc/services"); err != nil && test.want == "telnet" {
					t.Log("no /etc/services: apt-get install netbase")
					continue
				}
				offers := shell.complete(t, test.words...)
				same := func(o string) bool {
					return strings.ReplaceAll(strings.TrimSuffix(o, "="), `\ `, " ") == test.want
				}
				if !slices.ContainsFunc(offers, same) {
					t.Errorf("%v: it offers %q, not %q", test.words, offers, test.want)
				}
			}
		})
	}
	if _, err := Completion("tcsh"); err == nil {
		t.Error("tcsh: not refused")
	}
}
