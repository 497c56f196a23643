package sim

import (
	"errors"

	"sock/rawtcp"
	"sock/rawtcp/link"
	"sock/rawtcp/tcb"
	"sock/rawtcp/udp"
)

// errno is an error of the system, with the text that strerror has for it, as
// the simulated systems all have it.
type errno string

// Error returns the text, in lower case as package syscall has it.
func (e errno) Error() string { return string(e) }

// The errors.
const (
	eACCES        errno = "permission denied"
	eADDRINUSE    errno = "address already in use"
	eADDRNOTAVAIL errno = "cannot assign requested address"
	eAFNOSUPPORT  errno = "address family not supported by protocol"
	eBADF         errno = "bad file descriptor"
	eCONNABORTED  errno = "software caused connection abort"
	eCONNREFUSED  errno = "connection refused"
	eCONNRESET    errno = "connection reset by peer"
	eDESTADDRREQ  errno = "destination address required"
	eHOSTUNREACH  errno = "no route to host"
	eINVAL        errno = "invalid argument"
	eISCONN       errno = "transport endpoint is already connected"
	eMSGSIZE      errno = "message too long"
	eNETDOWN      errno = "network is down"
	eNETUNREACH   errno = "network is unreachable"
	eNOENT        errno = "no such file or directory"
	eNOPROTOOPT   errno = "protocol not available"
	eNOTCONN      errno = "transport endpoint is not connected"
	eOPNOTSUPP    errno = "operation not supported"
	ePIPE         errno = "broken pipe"
	eTIMEDOUT     errno = "connection timed out"
)

// errnoOf returns the system's name for an error of TCP, of UDP or of the network.
// io.EOF is no error.
func errnoOf(err error) error {
	for _, x := range []struct {
		is  error
		has errno
	}{
		{tcb.ErrRefused, eCONNREFUSED},
		{tcb.ErrReset, eCONNRESET},
		{tcb.ErrTimeout, eTIMEDOUT},
		{tcb.ErrAborted, eCONNABORTED},
		{rawtcp.ErrInUse, eADDRINUSE},
		{rawtcp.ErrNotHere, eADDRNOTAVAIL},
		{rawtcp.ErrNotConnected, eNOTCONN},
		{rawtcp.ErrConnected, eISCONN},
		{rawtcp.ErrInvalid, eINVAL},
		{rawtcp.ErrBroadcast, eACCES},
		{rawtcp.ErrClosed, eBADF},
		{rawtcp.ErrPipe, ePIPE},
		{rawtcp.ErrHostUnreachable, eHOSTUNREACH},
		{rawtcp.ErrNetUnreachable, eNETUNREACH},
		{udp.ErrFamily, eAFNOSUPPORT},
		{udp.ErrNoPeer, eDESTADDRREQ},
		{udp.ErrNoOption, eNOPROTOOPT},
		{link.ErrNoRoute, eNETUNREACH},
		{link.ErrDown, eNETDOWN},
		{link.ErrTooBig, eMSGSIZE},
	} {
		if errors.Is(err, x.is) {
			return x.has
		}
	}
	return err
}
