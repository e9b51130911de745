package secure

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// party is one side with its key.
type party struct {
	der []byte
	key *rsa.PrivateKey
}

func newParty(bits int) func() party {
	return sync.OnceValue(func() party {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			panic(err)
		}
		return party{der, key}
	})
}

// Keys of both sides, usual and so long that the padding has two bytes for its
// size.
var (
	client, server         = newParty(2048), newParty(2048)
	wideClient, wideServer = newParty(3072), newParty(3072)
)

func plain() Config {
	return Config{EndpointURL: "opc.tcp://test", Policy: ua.SecurityPolicyURINone, Mode: ua.MessageSecurityModeNone, Lifetime: time.Hour, Timeout: 5 * time.Second, Decode: decode}
}

func securedBy(policy string, mode ua.MessageSecurityMode) Config {
	config := plain()
	config.Policy, config.Mode = policy, mode
	config.Certificate, config.Key, config.ServerCertificate = client().der, client().key, server().der
	return config
}

// decode decodes without any measure: what it panics with ends the channel.
func decode(body []byte, answer ua.Response) error {
	id := &ua.ExpandedNodeID{}
	n, err := id.Decode(body)
	if err == nil {
		_, err = ua.Decode(body[n:], answer)
	}
	return err
}

// peer is a server of one connection that a test makes answer.
type peer struct {
	conn     net.Conn
	config   Config // of the client
	own      party
	frames   framer
	opens    protection
	token    protection
	sequence uint32
	tokenID  uint32
	lifetime uint32 // of its tokens, milliseconds
	acks     uint32 // bytes of a chunk that it takes
	// Where they are set, these replace what a decent server does.
	opening func(p *peer, response *ua.OpenSecureChannelResponse) (frame []byte)
	message func(p *peer, request uint32, body []byte) error
}

// meet connects a client as config says with a peer, and opens the channel.
func meet(t testing.TB, config Config, change func(*peer)) (*Channel, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	own := server()
	if len(config.Certificate) > 0 && config.Key.Size() > wideKey {
		own = wideServer()
	}
	p := &peer{config: config, own: own, sequence: 50, tokenID: 3, lifetime: 3_600_000, acks: smallestBuffer}
	if change != nil {
		change(p)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		p.conn = conn
		_ = p.serve() // ends as the client, or the test, has it
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, err := Open(ctx, conn, config)
	if err == nil {
		t.Cleanup(func() { c.Close(context.Background()) })
	}
	return c, err
}

func (p *peer) serve() error {
	p.frames = framer{from: p.conn, buffer: make([]byte, bufferSize)}
	mirrored := p.config
	if p.config.Key != nil {
		mirrored.Key, mirrored.ServerCertificate = p.own.key, p.config.Certificate
	}
	var err error
	if p.opens, err = mirrored.opens(); err != nil {
		return err
	}
	if _, err := p.frames.next(); err != nil {
		return err
	}
	ack := []byte("ACKF\x1c\x00\x00\x00\x00\x00\x00\x00")
	for _, n := range []uint32{p.acks, bufferSize, 0, 0} {
		ack = binary.LittleEndian.AppendUint32(ack, n)
	}
	if _, err := p.conn.Write(ack); err != nil {
		return err
	}
	var whole []byte
	for {
		raw, err := p.frames.next()
		if err != nil {
			return err
		}
		part, err := parseChunk(raw)
		if err != nil {
			return err
		}
		use := p.token
		if part.name == "OPN" {
			use = p.opens
		}
		plain, err := use.unseal(raw, part.head)
		if err != nil {
			return err
		}
		at := cursor{rest: plain}
		_, request := at.uint32(), at.uint32()
		whole = append(whole, at.rest...)
		switch {
		case part.kind == intermediate:
			continue
		case part.name == "CLO":
			return nil
		case part.name == "OPN":
			err = p.open(request, whole)
		case p.message != nil:
			err = p.message(p, request, whole)
		default:
			err = p.say(request, whole)
		}
		if err != nil {
			return err
		}
		whole = nil
	}
}

func (p *peer) open(request uint32, body []byte) error {
	id, asked := &ua.ExpandedNodeID{}, &ua.OpenSecureChannelRequest{}
	n, err := id.Decode(body)
	if err == nil {
		_, err = ua.Decode(body[n:], asked)
	}
	if err != nil {
		return err
	}
	nonce, err := p.opens.algorithm.MakeNonce()
	if err != nil {
		return err
	}
	p.tokenID++
	response := &ua.OpenSecureChannelResponse{
		ResponseHeader: &ua.ResponseHeader{ServiceDiagnostics: &ua.DiagnosticInfo{}, StringTable: []string{}, AdditionalHeader: ua.NewExtensionObject(nil)},
		SecurityToken:  &ua.ChannelSecurityToken{ChannelID: 7, TokenID: p.tokenID, RevisedLifetime: p.lifetime}, ServerNonce: nonce,
	}
	if p.token, err = symmetric(p.config, nonce, asked.ClientNonce); err != nil {
		return err
	}
	var frame []byte
	if p.opening != nil {
		frame = p.opening(p, response)
	} else {
		frame = p.answerOpening(request, p.openHead(), encodeAnswer(response))
	}
	_, err = p.conn.Write(frame)
	return err
}

func encodeAnswer(response ua.Response) []byte {
	kind, err := ua.Encode(ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(response)))
	body, err2 := ua.Encode(response)
	if err := errors.Join(err, err2); err != nil {
		panic(err)
	}
	return append(kind, body...)
}

func (p *peer) openHead() []byte {
	head := appendBytes(frameHead("OPN", final, 7), []byte(p.config.Policy))
	if !p.opens.signed {
		return appendBytes(appendBytes(head, nil), nil)
	}
	return appendBytes(appendBytes(head, p.own.der), thumbprintOf(p.config.Certificate))
}

func (p *peer) answerOpening(request uint32, head, body []byte) []byte {
	frame, err := p.opens.seal(head, p.numbered(request, body))
	if err != nil {
		panic(err)
	}
	return frame
}

// numbered puts the next sequence number and the request id before a body.
func (p *peer) numbered(request uint32, body []byte) []byte {
	p.sequence++
	plain := binary.LittleEndian.AppendUint32(nil, p.sequence)
	return append(binary.LittleEndian.AppendUint32(plain, request), body...)
}

func (p *peer) head(kind byte) []byte {
	return binary.LittleEndian.AppendUint32(frameHead("MSG", kind, 7), p.tokenID)
}

// part sends one chunk.
func (p *peer) part(request uint32, kind byte, body []byte) error {
	frame, err := p.token.seal(p.head(kind), p.numbered(request, body))
	if err == nil {
		_, err = p.conn.Write(frame)
	}
	return err
}

// say sends a message in chunks.
func (p *peer) say(request uint32, body []byte) error {
	room := p.token.room(smallestBuffer)
	for len(body) > room {
		if err := p.part(request, intermediate, body[:room]); err != nil {
			return err
		}
		body = body[room:]
	}
	return p.part(request, final, body)
}
