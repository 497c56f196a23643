package opts

import (
	"fmt"
	"strings"
)

// Completion gives the text that a shell reads to complete the words of a
// sock command line: "bash", "zsh" or "fish". The error is for any other.
func Completion(shell string) (string, error) {
	switch shell {
	case "bash":
		return bash(), nil
	case "zsh":
		return zsh(), nil
	case "fish":
		return fish(), nil
	}
	return "", errorf("--completion takes bash, zsh or fish, not %q", shell)
}

func shells() []string { return []string{"bash", "zsh", "fish"} }

// What the argument of a flag is completed to follows from what the table
// calls it; numbers, times and end points are left to the user.
const (
	fileArg       = "FILE"
	hostArg       = "HOST"
	shellArg      = "SHELL"
	congestionArg = "NAME"
)

// congestionControls prints those that Linux offers, and nothing elsewhere.
const congestionControls = "cat /proc/sys/net/ipv4/tcp_available_congestion_control 2>/dev/null"

// forms gives the ways to write a flag: -n and --writes.
func (f Flag) forms() []string {
	if f.Letter == "" {
		return []string{"--" + f.Name}
	}
	return []string{"-" + f.Letter, "--" + f.Name}
}

func bash() string {
	var all, others []string
	byArg := map[string]string{}
	for _, f := range Flags() {
		all = append(all, f.forms()...)
		switch f.Arg {
		case "":
		case fileArg, hostArg, shellArg, congestionArg:
			forms := append(f.forms(), byArg[f.Arg])
			byArg[f.Arg] = strings.TrimSuffix(strings.Join(forms, "|"), "|")
		default:
			others = append(others, f.forms()...)
		}
	}
	return fmt.Sprintf(`# Completion of sock for bash.
_sock() {
	local IFS=$' \t\n'
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	# In --file=name the = is a word of its own.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $prev in
	%s)
		compopt -o filenames 2>/dev/null
		IFS=$'\n'
		COMPREPLY=($(compgen -f -- "$cur")) ;;
	%s)
		COMPREPLY=($(compgen -A hostname -- "$cur")) ;;
	%s)
		COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur")) ;;
	%s)
		COMPREPLY=($(compgen -W "$(%s)" -- "$cur")) ;;
	%s)
		COMPREPLY=() ;;
	*)
		case $cur in
		-*) COMPREPLY=($(compgen -W '%s' -- "$cur")) ;;
		*) COMPREPLY=($(compgen -A hostname -A service -- "$cur")) ;;
		esac ;;
	esac
}
complete -F _sock sock
`, byArg[fileArg], byArg[hostArg], byArg[shellArg], byArg[congestionArg], congestionControls,
		strings.Join(others, "|"), strings.Join(all, " "))
}

func zsh() string {
	var b strings.Builder
	b.WriteString(`#compdef sock
# Completion of sock for zsh.
_sock_congestion() {
	compadd -- $(` + congestionControls + `)
}
_sock_operands() {
	_alternative 'hosts:host:_hosts' 'ports:service:_ports'
}
_sock() {
	_arguments -s -S \
`)
	quote := strings.NewReplacer(`'`, `'\''`, `[`, `\[`, `]`, `\]`, `:`, `\:`)
	for _, f := range Flags() {
		text := "[" + quote.Replace(f.Help) + "]"
		forms := f.forms()
		if f.Arg != "" {
			forms[len(forms)-1] += "="
			if f.Letter != "" {
				forms[0] += "+"
			}
			text += ":" + f.Arg + ":" + map[string]string{
				fileArg: "_files", hostArg: "_hosts", shellArg: "(bash zsh fish)", congestionArg: "_sock_congestion",
			}[f.Arg]
		}
		for _, form := range forms {
			// The * lets a flag be given again.
			fmt.Fprintf(&b, "\t\t'*%s%s' \\\n", form, text)
		}
	}
	b.WriteString(`		'*: :_sock_operands'
}
if [[ $funcstack[1] == _sock ]]; then
	_sock "$@"
else
	compdef _sock sock
fi
`)
	return b.String()
}

func fish() string {
	var b strings.Builder
	b.WriteString(`# Completion of sock for fish.
complete -c sock -f -a 'localhost (__fish_print_hostnames)' -d host
complete -c sock -f -a '(string replace -rf "^([a-zA-Z][^\\s]*)\\s.*" "\\$1" < /etc/services)' -d service
`)
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, f := range Flags() {
		b.WriteString("complete -c sock")
		if f.Letter != "" {
			b.WriteString(" -s " + f.Letter)
		}
		b.WriteString(" -l " + f.Name)
		switch f.Arg {
		case "":
		case fileArg:
			b.WriteString(" -r -F")
		case hostArg:
			b.WriteString(" -x -a 'localhost (__fish_print_hostnames)'")
		case shellArg:
			b.WriteString(" -x -a 'bash zsh fish'")
		case congestionArg:
			b.WriteString(" -x -a '(" + congestionControls + " | string split -n \" \")'")
		default:
			b.WriteString(" -x")
		}
		b.WriteString(" -d '" + quote.Replace(f.Help) + "'\n")
	}
	return b.String()
}
