package sim

import (
	"errors"

	"sock/rawtcp/link"
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

// ofLink returns the system's name for an error of the network.
func ofLink(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, link.ErrNoRoute):
		return eNETUNREACH
	case errors.Is(err, link.ErrDown):
		return eNETDOWN
	case errors.Is(err, link.ErrTooBig):
		return eMSGSIZE
	}
	return eINVAL
}
