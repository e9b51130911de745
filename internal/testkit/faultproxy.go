package testkit

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// FaultProxy stands between a connector and its counterpart and does what
// networks do: cut, refuse, delay, and fall silent with the connection open.
type FaultProxy struct {
	listener net.Listener
	target   string

	mu       sync.Mutex
	open     map[net.Conn]bool
	refusing bool
	silent   chan struct{} // closed while bytes move
	frozen   chan struct{} // connections that hold this one never move again
	delay    time.Duration
}

// NewFaultProxy starts a proxy to target, host:port, that passes everything.
func NewFaultProxy(t testing.TB, target string) *FaultProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen for the fault proxy: %v", err)
	}
	moving := make(chan struct{})
	close(moving)
	p := &FaultProxy{listener: listener, target: target, open: map[net.Conn]bool{}, silent: moving, frozen: make(chan struct{})}
	go p.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
	})
	return p
}

// Address is host:port of the proxy.
func (p *FaultProxy) Address() string { return p.listener.Addr().String() }

// Cut closes every connection; new ones are accepted.
func (p *FaultProxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

// Refuse closes every connection and every new one until Heal.
func (p *FaultProxy) Refuse() {
	p.mu.Lock()
	p.refusing = true
	p.mu.Unlock()
	p.Cut()
}

// Blackhole keeps connections open and accepts new ones, but moves no byte
// until Heal.
func (p *FaultProxy) Blackhole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = make(chan struct{})
}

// Freeze makes the connections of now hang for ever, as behind a router that
// forgot them; new ones work.
func (p *FaultProxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.frozen)
	p.frozen = make(chan struct{})
}

// Delay adds a pause to every block of bytes in each direction.
func (p *FaultProxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Heal ends Refuse, Blackhole and Delay.
func (p *FaultProxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing, p.delay = false, 0
	select {
	case <-p.silent:
	default:
		close(p.silent)
	}
}

func (p *FaultProxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed at the end of the test
		}
		go p.serve(client)
	}
}

func (p *FaultProxy) serve(client net.Conn) {
	p.mu.Lock()
	refusing, target, frozen := p.refusing, p.target, p.frozen
	p.mu.Unlock()
	if refusing {
		_ = client.Close()
		return
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.track(client, server)
	go p.pipe(server, client, frozen)
	p.pipe(client, server, frozen)
}

func (p *FaultProxy) track(connections ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range connections {
		p.open[c] = true
	}
}

func (p *FaultProxy) pipe(to, from net.Conn, frozen chan struct{}) {
	defer p.end(to, from)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-frozen:
			_, _ = io.Copy(io.Discard, from) // until the other side gives up
			return
		default:
		}
		p.mu.Lock()
		silent, delay := p.silent, p.delay
		p.mu.Unlock()
		<-silent
		time.Sleep(delay)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *FaultProxy) end(connections ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range connections {
		_ = c.Close()
		delete(p.open, c)
	}
}
