# make            build ./sock
# make install    to $(DESTDIR)$(PREFIX): program, manual pages, completions
# make uninstall
# make demo       a client and a server, a source and a sink, on this machine
# make labs       the experiments of the book, on simulated machines
# make check      all that continuous integration runs
# make bench      speed against plain C, iperf3, nc and socat
# make bench-engine  the same of the TCP engine, against gVisor's
# make mutants    whether the tests of the TCP machine catch mistakes in it
#
# A plain POSIX makefile, for GNU and BSD make alike.

PREFIX = /usr/local
DESTDIR =
GO = go

# Each module of the repository; one that is nested is added here.
MODULES = . rawtcp/peer

# vet and build are run for each of these; a nested module is for Linux only.
SYSTEMS = linux darwin freebsd netbsd openbsd dragonfly windows

GOFUMPT = $(GO) run mvdan.cc/gofumpt@v0.12.0
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOTESTSUM = $(GO) run gotest.tools/gotestsum@v1.13.0

ROOT = $(DESTDIR)$(PREFIX)
BASH_COMPLETION = $(ROOT)/share/bash-completion/completions
ZSH_COMPLETION = $(ROOT)/share/zsh/site-functions
FISH_COMPLETION = $(ROOT)/share/fish/vendor_completions.d

all: sock

# Always made: go itself knows what is out of date.
sock: .FORCE
	version=$$(git describe --tags --always --dirty 2>/dev/null || echo devel); \
	$(GO) build -trimpath -ldflags "-X main.version=$$version" -o sock .

demo: sock
	@echo '$$ echo "and hi there" | sock -v -h -s 5555 &'
	@echo '$$ echo "hello, world" | sock -v -h localhost 5555'
	@echo 'and hi there' | ./sock -v -h -s 5555 & sleep 1; \
	echo 'hello, world' | ./sock -v -h localhost 5555; wait
	@echo
	@echo '$$ sock -v -i -s 7777 &'
	@echo '$$ sock -v -i -n4 localhost 7777'
	@./sock -v -i -s 7777 & sleep 1; ./sock -v -i -n4 localhost 7777; wait

labs: sock
	./sock --lab run all

# Not built again when nothing has changed, so that "make && sudo make install"
# needs no Go in root's PATH.
install:
	@test -x sock && test -z "$$(find . -name '*.go' -newer sock)" || $(MAKE) sock
	install -d $(ROOT)/bin $(BASH_COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION)
	install -m 755 sock $(ROOT)/bin/sock
	for page in man/*.[1-9]; do \
		dir=$(ROOT)/share/man/man$${page##*.}; \
		install -d $$dir && install -m 644 $$page $$dir || exit 1; \
	done
	./sock --completion bash >$(BASH_COMPLETION)/sock
	./sock --completion zsh >$(ZSH_COMPLETION)/_sock
	./sock --completion fish >$(FISH_COMPLETION)/sock.fish

uninstall:
	for page in man/*.[1-9]; do \
		rm -f $(ROOT)/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done
	rm -f $(ROOT)/bin/sock $(BASH_COMPLETION)/sock $(ZSH_COMPLETION)/_sock $(FISH_COMPLETION)/sock.fish

check: format tidy vet build staticcheck man test

format:
	@wrong=$$($(GOFUMPT) -l .) || exit 1; \
	test -z "$$wrong" || { echo "not as gofumpt would have it:"; echo "$$wrong"; exit 1; }

tidy:
	for m in $(MODULES); do $(GO) -C $$m mod tidy -diff || exit 1; done

vet build:
	for m in $(MODULES); do for os in $(SYSTEMS); do \
		test $$m = . -o $$os = linux || continue; \
		echo "$@ $$m for $$os"; GOOS=$$os $(GO) -C $$m $@ ./... || exit 1; \
	done; done

staticcheck:
	for m in $(MODULES); do (cd $$m && $(STATICCHECK) ./...) || exit 1; done

man:
	mandoc -T lint -W warning man/*.[1-9]

# go test -race -shuffle=on ./..., with a count of the tests that ran and the
# reasons of those that were skipped. Each event is kept in test.json.
test:
	for m in $(MODULES); do \
		(cd $$m && $(GOTESTSUM) --format pkgname-and-test-fails --jsonfile test.json -- -race -shuffle=on ./...) || exit 1; \
	done

# Ratios to others in the same run: of sock on the kernel's sockets, of the engine
# in memory, and of sock --raw on a link, which takes root.
bench: bench-kernel bench-engine bench-link

bench-kernel:
	$(GO) run ./modes/kernel/bench

bench-engine:
	$(GO) -C rawtcp/peer run ./bench

bench-link:
	$(GO) -C rawtcp/peer run ./linkbench

# Each of the mistakes is made, and the tests are run: some minutes.
mutants:
	$(GO) run ./rawtcp/tcb/mutants

clean:
	rm -f sock
	for m in $(MODULES); do rm -f $$m/test.json; done

.FORCE:
.PHONY: all demo labs install uninstall check format tidy vet build staticcheck man test bench bench-kernel bench-engine bench-link mutants clean .FORCE
