package profile

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestEverySettingByName: each value of a profile can be set by itself, and by
// one name only.
func TestEverySettingByName(t *testing.T) {
	names := map[string]bool{}
	touched := map[string]string{}
	for _, s := range Settings() {
		if names[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		names[s.Name] = true
		if s.Help == "" || s.Form == "" {
			t.Errorf("%s has no help", s.Name)
		}
		p, err := Get("")
		if err != nil {
			t.Fatal(err)
		}
		before := p.Clone()
		if !setAny(p, s) {
			t.Errorf("%s takes none of the values tried", s.Name)
			continue
		}
		changed := differ("", reflect.ValueOf(*before), reflect.ValueOf(*p))
		if len(changed) != 1 {
			t.Errorf("%s changes %v", s.Name, changed)
			continue
		}
		if other := touched[changed[0]]; other != "" {
			t.Errorf("%s and %s both change %s", s.Name, other, changed[0])
		}
		touched[changed[0]] = s.Name
	}
	for _, field := range leaves("", reflect.TypeFor[Profile]()) {
		if touched[field] == "" && field != ".Name" && field != ".Text" {
			t.Errorf("no setting for %s", field)
		}
	}
}

// setAny sets s to some value that it has not.
func setAny(p *Profile, s Setting) bool {
	was := s.Get(p)
	for _, v := range []string{"yes", "no", "7", "8", "7s", "newreno", "exact", "never", "tahoe", "mss", "3s,4s"} {
		if s.set(p, v) == nil && s.Get(p) != was {
			return true
		}
	}
	return false
}

func leaves(at string, t reflect.Type) (all []string) {
	if t.Kind() != reflect.Struct {
		return []string{at}
	}
	for f := range t.Fields() {
		all = append(all, leaves(at+"."+f.Name, f.Type)...)
	}
	return all
}

func differ(at string, a, b reflect.Value) (all []string) {
	if a.Kind() != reflect.Struct {
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			all = append(all, at)
		}
		return all
	}
	for i := range a.NumField() {
		all = append(all, differ(at+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))...)
	}
	return all
}

// TestValuesRoundTrip: what Get returns, Set takes, in every profile.
func TestValuesRoundTrip(t *testing.T) {
	for _, name := range Names() {
		p, err := Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != name || p.Text == "" {
			t.Errorf("%s calls itself %q, %q", name, p.Name, p.Text)
		}
		q, _ := Get("")
		for _, s := range Settings() {
			if err := Set(q, s.Name+"="+s.Get(p)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		q.Name, q.Text = p.Name, p.Text
		if got := differ("", reflect.ValueOf(*p), reflect.ValueOf(*q)); got != nil {
			t.Errorf("%s: %v differ", name, got)
		}
	}
}

func TestSetErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"msl", `"msl" is no setting: write name=value, as in msl=2s`},
		{"mls=2s", `there is no setting "mls": is it "msl" that you mean?`},
		{"nothing-like-it=1", `there is no setting "nothing-like-it"`},
		{"msl=soon", "msl=soon: a time is a number of seconds, or has a unit, as in 2s or 500ms"},
		{"msl=-1s", "msl=-1s: a time may not be negative"},
		{"ttl=0", "ttl=0: it is a number from 1 to 255"},
		{"sack=maybe", "sack=maybe: it is yes or no"},
		{"congestion=vegas", "congestion=vegas: it is one of none, tahoe, reno, newreno, cubic"},
		{"syn-timeouts=6,0", "syn-timeouts=6,0: a timeout is more than 0"},
		{"rto-max=0", "rto-max=0: a timeout is more than 0"},
		{"persist-min=0s", "persist-min=0s: a timeout is more than 0"},
	} {
		p, _ := Get("")
		err := Set(p, c.in)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.in, err, c.want)
		}
		if q, _ := Get(""); !reflect.DeepEqual(p, q) {
			t.Errorf("%s: has changed something", c.in)
		}
	}
}

func TestSet(t *testing.T) {
	p, _ := Get("bsd")
	for _, s := range []string{"msl=2s", "isn=0xffff", "syn-timeouts=6,1.5s,500ms", "layout=modern"} {
		if err := Set(p, s); err != nil {
			t.Fatal(err)
		}
	}
	if p.TCP.MSL != 2*time.Second || p.ISN.Boot != 0xffff || len(p.TCP.SYNTimeouts) != 3 ||
		p.TCP.SYNTimeouts[2] != 500*time.Millisecond {
		t.Errorf("%+v", p)
	}
	if q, _ := Get("bsd"); q.TCP.MSL != 30*time.Second {
		t.Error("the profile itself has changed")
	}
}

func TestGetUnknown(t *testing.T) {
	_, err := Get("vms")
	if err == nil || !strings.Contains(err.Error(), "rfc9293, linux, bsd, sunos, svr4, solaris") {
		t.Errorf("%v", err)
	}
}

// TestBacklog is the table of Fig 18-23.
func TestBacklog(t *testing.T) {
	for name, want := range map[string][7]int{
		"bsd":     {1, 2, 4, 5, 7, 8, 8},
		"solaris": {0, 1, 2, 3, 4, 5, 5},
		"linux":   {1, 2, 3, 4, 5, 6, 7},
	} {
		p, _ := Get(name)
		for q, n := range want {
			if got := p.Room(q); got != n {
				t.Errorf("%s: room for %d with a backlog of %d, want %d", name, got, q, n)
			}
		}
	}
}
