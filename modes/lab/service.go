package lab

import "sock/rawtcp/wire"

// The services that the hosts of a lab have in their /etc/services.

func services() map[string]uint16 {
	return map[string]uint16{
		"echo": 7, "discard": 9, "daytime": 13, "chargen": 19,
		"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25,
		"domain": 53, "tftp": 69, "http": 80, "login": 513, "shell": 514,
	}
}

// servicePort returns the port of a service, or 0.
func servicePort(name string) uint16 { return services()[name] }

// serviceName is how a listing names a port. It names those only that the book
// shows with their names, so that a number in a script stays one in the trace.
func serviceName(_ wire.Protocol, port uint16) string {
	switch port {
	case 7:
		return "echo"
	case 9:
		return "discard"
	case 13:
		return "daytime"
	case 19:
		return "chargen"
	case 23:
		return "telnet"
	case 53:
		return "domain"
	case 69:
		return "tftp"
	}
	return ""
}
