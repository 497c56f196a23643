package lab

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

//go:embed labs/*.lab
var embedded embed.FS

// Names returns the names of the labs of the catalogue, in the order of the
// book.
func Names() ([]string, error) {
	all, err := Catalogue()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
	}
	return names, nil
}

// Catalogue returns the embedded labs, in the order of the book's sections.
func Catalogue() (all []*Lab, err error) {
	files, err := fs.Glob(embedded, "labs/*.lab")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := embedded.ReadFile(f)
		if err != nil {
			return nil, err
		}
		l, err := Parse(nameOf(f), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b *Lab) int {
		return cmp.Or(compareSections(a.place(), b.place()), compareSections(a.Name, b.Name))
	})
	return all, nil
}

// Load returns the lab of a name of the catalogue, or else that of a file.
func Load(name string) (*Lab, error) {
	text, err := embedded.ReadFile("labs/" + name + ".lab")
	if err != nil {
		text, err = os.ReadFile(name)
	}
	if _, own := os.Stat(name + ".lab"); os.IsNotExist(err) && own == nil {
		return nil, fmt.Errorf("there is no lab %q: is it the file %[1]s.lab that you mean?", name)
	}
	if os.IsNotExist(err) && !strings.ContainsAny(name, `/\.`) {
		if l, err := alias(name); l != nil || err != nil {
			return l, err
		}
		return nil, fmt.Errorf("there is no lab %q: sock --lab list shows all", name)
	}
	if err != nil {
		return nil, err
	}
	return Parse(nameOf(name), string(text))
}

// alias returns the embedded lab that also has this name, or nil.
func alias(name string) (*Lab, error) {
	all, err := Catalogue()
	for _, l := range all {
		if slices.Contains(l.Also, name) {
			return l, err
		}
	}
	return nil, err
}

func nameOf(file string) string { return strings.TrimSuffix(filepath.Base(file), ".lab") }

// place is where a lab stands in the book: the exercises, "18 exercise 2", are at
// the end of their chapter.
func (l *Lab) place() string { return strings.Replace(l.Section, " exercise", ".99", 1) }

// compareSections compares names that have numbers in them: 18.2 comes before
// 18.11.
func compareSections(a, b string) int {
	for a != "" && b != "" {
		na, ra := leadingNumber(a)
		nb, rb := leadingNumber(b)
		if na >= 0 && nb >= 0 {
			if c := cmp.Compare(na, nb); c != 0 {
				return c
			}
			a, b = ra, rb
			continue
		}
		if c := cmp.Compare(a[0], b[0]); c != 0 {
			return c
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// leadingNumber returns the number that s begins with, or -1.
func leadingNumber(s string) (n int, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	n, err := strconv.Atoi(s[:len(s)-len(rest)])
	if err != nil {
		return -1, s
	}
	return n, rest
}

// chapter returns the heading that a lab is listed under.
func (l *Lab) chapter() string {
	number := l.Section[:len(l.Section)-len(strings.TrimLeft(l.Section, "0123456789"))]
	if title := chapters()[number]; title != "" {
		return number + "  " + title
	}
	if number == "" {
		return "To begin with"
	}
	return number
}

// chapters are those of TCP/IP Illustrated, volume 1, that labs are about.
func chapters() map[string]string {
	return map[string]string{
		"1": "Introduction", "4": "ARP", "6": "ICMP", "11": "UDP", "12": "Broadcasting and multicasting",
		"13": "IGMP", "17": "TCP", "18": "TCP connection establishment and termination",
		"19": "TCP interactive data flow", "20": "TCP bulk data flow",
		"21": "TCP timeout and retransmission", "22": "TCP persist timer",
		"23": "TCP keepalive timer", "24": "TCP futures and performance",
	}
}
