package secure

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// sized writes the size of a frame into it.
func sized(frame []byte) []byte {
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)))
	return frame
}

// forge signs and encrypts a chunk whose padding is what plain ends with.
func (p *peer) forge(head, plain []byte) []byte {
	frame := slices.Concat(head, plain)
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(frame)+p.token.algorithm.SignatureLength()))
	signature, err := p.token.algorithm.Signature(frame)
	if err != nil {
		panic(err)
	}
	return slices.Concat(frame[:len(head)], p.encrypt(append(frame[len(head):], signature...)))
}

func (p *peer) encrypt(plain []byte) []byte {
	sealed, err := p.token.algorithm.Encrypt(plain)
	if err != nil {
		panic(err)
	}
	return sealed
}

// TestForgedChunksEndTheChannel sends under the keys of a channel what its
// owner should not.
func TestForgedChunksEndTheChannel(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		frame func(p *peer, request uint32) []byte
		want  error
	}{
		"nothing encrypted":   {func(p *peer, _ uint32) []byte { return sized(p.head(final)) }, ErrTampered},
		"half a block":        {func(p *peer, _ uint32) []byte { return sized(append(p.head(final), 1, 2, 3)) }, ErrTampered},
		"no signature":        {func(p *peer, _ uint32) []byte { return sized(append(p.head(final), p.encrypt(make([]byte, 16))...)) }, ErrTampered},
		"wrong signature":     {func(p *peer, _ uint32) []byte { return sized(append(p.head(final), p.encrypt(make([]byte, 64))...)) }, ErrTampered},
		"only a signature":    {func(p *peer, _ uint32) []byte { return p.forge(p.head(final), nil) }, ErrTampered},
		"padding of 256":      {func(p *peer, _ uint32) []byte { return p.forge(p.head(final), bytes.Repeat([]byte{0xff}, 32)) }, ErrTampered},
		"padding of all":      {func(p *peer, _ uint32) []byte { return p.forge(p.head(final), bytes.Repeat([]byte{31}, 32)) }, ua.StatusBadDecodingError},
		"padding of one more": {func(p *peer, _ uint32) []byte { return p.forge(p.head(final), bytes.Repeat([]byte{32}, 32)) }, ErrTampered},
		"half a sequence":     {func(p *peer, _ uint32) []byte { return p.forge(p.head(final), bytes.Repeat([]byte{27}, 32)) }, ua.StatusBadDecodingError},
		"in the clear": {func(p *peer, request uint32) []byte {
			return sized(append(p.head(final), p.numbered(request, []byte("x"))...))
		},
			ErrTampered},
		"no token":    {func(*peer, uint32) []byte { return sized(frameHead("MSG", final, 7)) }, ua.StatusBadDecodingError},
		"no channel":  {func(*peer, uint32) []byte { return []byte("MSGF\x08\x00\x00\x00") }, ua.StatusBadDecodingError},
		"no size":     {func(*peer, uint32) []byte { return []byte("MSGF\x00\x00\x00\x00") }, ua.StatusBadTCPMessageTypeInvalid},
		"huge":        {func(*peer, uint32) []byte { return []byte("MSGF\xff\xff\xff\xff") }, ua.StatusBadTCPMessageTooLarge},
		"other type":  {func(*peer, uint32) []byte { return sized(frameHead("HEL", final, 7)) }, ua.StatusBadTCPMessageTypeInvalid},
		"other kind":  {func(p *peer, _ uint32) []byte { return sized(p.head('X')) }, ua.StatusBadTCPMessageTypeInvalid},
		"short error": {func(*peer, uint32) []byte { return []byte("ERRF\x08\x00\x00\x00") }, ua.StatusBadDecodingError},
		"cut":         {func(p *peer, _ uint32) []byte { _ = p.conn.Close(); return nil }, io.EOF},
		"other token": {func(p *peer, request uint32) []byte {
			frame, _ := p.token.seal(binary.LittleEndian.AppendUint32(frameHead("MSG", final, 7), 99), p.numbered(request, nil))
			return frame
		}, ua.StatusBadSecureChannelTokenUnknown},
		"other channel": {func(p *peer, request uint32) []byte {
			frame, _ := p.token.seal(binary.LittleEndian.AppendUint32(frameHead("MSG", final, 8), p.tokenID), p.numbered(request, nil))
			return frame
		}, ua.StatusBadTCPSecureChannelUnknown},
		"the same again": {func(p *peer, request uint32) []byte {
			frame, _ := p.token.seal(p.head(final), p.numbered(request+1, nil))
			return slices.Concat(frame, frame)
		}, ua.StatusBadSequenceNumberInvalid},
		"a gap": {func(p *peer, request uint32) []byte {
			p.sequence++
			frame, _ := p.token.seal(p.head(final), p.numbered(request, nil))
			return frame
		}, ua.StatusBadSequenceNumberInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			channel, err := meet(t, securedBy(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt), func(p *peer) {
				p.message = func(p *peer, request uint32, _ []byte) error {
					_, err := p.conn.Write(c.frame(p, request))
					return err
				}
			})
			require.NoError(t, err)
			_, err = channel.Call(t.Context(), request(10), nil, 3*time.Second)
			require.ErrorIs(t, err, c.want)
			_, err = channel.Call(t.Context(), request(10), nil, 3*time.Second)
			require.ErrorIs(t, err, c.want, "the channel has ended")
		})
	}
}

// TestForgedOpenings answers the request to open a channel wrongly.
func TestForgedOpenings(t *testing.T) {
	t.Parallel()
	config := securedBy(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt)
	header := func(policy string, sender, thumbprint []byte) []byte {
		return appendBytes(appendBytes(appendBytes(frameHead("OPN", final, 7), []byte(policy)), sender), thumbprint)
	}
	good := func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
		return p.answerOpening(1, p.openHead(), encodeAnswer(r))
	}
	for name, opening := range map[string]func(*peer, *ua.OpenSecureChannelResponse) []byte{
		"no body": func(p *peer, _ *ua.OpenSecureChannelResponse) []byte { return p.answerOpening(1, p.openHead(), nil) },
		"not sealed": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			return sized(append(p.openHead(), p.numbered(1, encodeAnswer(r))...))
		},
		"no sequence": func(p *peer, _ *ua.OpenSecureChannelResponse) []byte { return sized(p.openHead()) },
		"no headers":  func(*peer, *ua.OpenSecureChannelResponse) []byte { return sized([]byte("OPNF....\x07\x00\x00\x00")) },
		"long policy": func(*peer, *ua.OpenSecureChannelResponse) []byte {
			return sized([]byte("OPNF....\x07\x00\x00\x00\xfe\xff\xff\xff"))
		},
		"other policy": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			return p.answerOpening(1, header(ua.SecurityPolicyURIBasic256, p.own.der, thumbprintOf(config.Certificate)), encodeAnswer(r))
		},
		"no security": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			return sized(append(header(ua.SecurityPolicyURINone, nil, nil), p.numbered(1, encodeAnswer(r))...))
		},
		"for somebody else": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			return p.answerOpening(1, header(config.Policy, p.own.der, make([]byte, 20)), encodeAnswer(r))
		},
		"other request": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			return p.answerOpening(2, p.openHead(), encodeAnswer(r))
		},
		"other channel": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			r.SecurityToken.ChannelID++
			return good(p, r)
		},
		"no nonce": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			r.ServerNonce = nil
			return good(p, r)
		},
		"short nonce": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			r.ServerNonce = []byte{1}
			return good(p, r)
		},
		"message before": func(p *peer, _ *ua.OpenSecureChannelResponse) []byte {
			frame, _ := p.token.seal(p.head(final), p.numbered(1, nil))
			return frame
		},
		"negative array": func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
			body := encodeAnswer(r)
			copy(body[4+8+4+4+1:], "\x00\x00\x00\x80") // the texts of the header
			return p.answerOpening(1, p.openHead(), body)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := meet(t, config, func(p *peer) { p.opening = opening })
			require.Error(t, err)
			require.NotErrorIs(t, err, ua.StatusBadTimeout, "it is noticed, not waited for")
		})
	}
	t.Run("other certificate", func(t *testing.T) {
		t.Parallel()
		_, err := meet(t, config, func(p *peer) {
			p.opening = func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
				return p.answerOpening(1, header(config.Policy, client().der, thumbprintOf(config.Certificate)), encodeAnswer(r))
			}
		})
		var other *OtherCertificateError
		require.ErrorAs(t, err, &other)
		require.Equal(t, client().der, other.Certificate)
	})
}

// TestTruncatedOpenings cuts the answer that opens a channel, with and without
// security, at every eighth byte.
func TestTruncatedOpenings(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]Config{"none": plain(), "signed": securedBy(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSign)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			length := 1 << 20
			for cut := frameHeader; cut < length; cut += 8 {
				_, err := meet(t, config, func(p *peer) {
					p.opening = func(p *peer, r *ua.OpenSecureChannelResponse) []byte {
						frame := p.answerOpening(1, p.openHead(), encodeAnswer(r))
						length = len(frame)
						return sized(frame[:cut])
					}
				})
				require.Error(t, err, "cut at %d", cut)
				require.NotErrorIs(t, err, ua.StatusBadTimeout)
			}
		})
	}
}

// TestEndlessChunks sends an answer that never ends, and parts of answers to
// many requests at once. Neither may take more memory than is agreed.
func TestEndlessChunks(t *testing.T) {
	t.Parallel()
	body := make([]byte, 60_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := meet(t, plain(), func(p *peer) {
		ended := false
		p.message = func(p *peer, request uint32, asked []byte) error {
			if ended {
				return p.say(request, asked)
			}
			ended = true
			for range 2000 { // 120 MB
				if err := p.part(request, intermediate, body); err != nil {
					return err
				}
			}
			return nil
		}
	})
	require.NoError(t, err)
	_, err = c.Call(t.Context(), request(10), nil, 10*time.Second)
	require.ErrorIs(t, err, ua.StatusBadResponseTooLarge)
	_, err = c.Call(t.Context(), request(10), nil, 10*time.Second)
	require.NoError(t, err, "the channel goes on")
	require.Zero(t, c.reader.pending)
	require.Empty(t, c.reader.parts)
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapInuse)-int64(before.HeapInuse), int64(100<<20))
}

func TestEmptyChunksAreCounted(t *testing.T) {
	t.Parallel()
	c := deaf(t)
	id, answered := c.await()
	for range maxChunkCount + 1 {
		c.collect(id, false, nil)
	}
	require.ErrorIs(t, (<-answered).err, ua.StatusBadResponseTooLarge)
	require.Empty(t, c.reader.parts)
}

func TestPendingIsBoundedOverAllRequests(t *testing.T) {
	t.Parallel()
	c := deaf(t)
	body := make([]byte, 1<<20)
	var refused int
	for range 40 {
		id, answered := c.await()
		c.collect(id, false, body)
		if len(answered) > 0 {
			refused++
		}
	}
	require.Equal(t, 8, refused)
	require.Equal(t, maxPending, c.reader.pending)
	for id := range uint32(40) {
		c.forget(id + 1)
	}
	id, answered := c.await()
	c.collect(id, false, body)
	require.Empty(t, answered, "answers that nobody waits for make room")
	require.Equal(t, len(body), c.reader.pending)
}

// deaf is a channel that is open and receives nothing.
func deaf(t testing.TB) *Channel {
	near, far := net.Pipe()
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	c, err := newChannel(near, plain())
	require.NoError(t, err)
	c.id, c.current = 7, &token{id: 3, lifetime: time.Hour, until: time.Now().Add(time.Hour), protection: c.opens}
	return c
}

// FuzzStream feeds a channel whatever a server may send: it has to end without
// a panic, and within its bounds.
func FuzzStream(f *testing.F) {
	p := &peer{sequence: 1, tokenID: 3, config: plain()}
	p.token = deaf(f).opens
	message, err := p.token.seal(p.head(final), p.numbered(1, []byte("body")))
	require.NoError(f, err)
	f.Add(message)
	f.Add(append(sized(append(p.head(intermediate), p.numbered(1, []byte("body"))...)), message...))
	f.Add(sized(append(p.openHead(), p.numbered(1, []byte("body"))...)))
	f.Add([]byte("ERRF\x10\x00\x00\x00\x00\x00\x80\x80\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		c := deaf(t)
		c.config.Decode = func([]byte, ua.Response) error { return nil }
		c.opening = &opening{request: 2}
		c.await()
		c.await()
		frames := framer{from: bytes.NewReader(stream), buffer: make([]byte, bufferSize)}
		for {
			raw, err := frames.next()
			if err == nil {
				err = c.accept(raw)
			}
			if err != nil {
				break
			}
		}
		require.LessOrEqual(t, c.reader.pending, len(stream))
	})
}

// FuzzUnseal opens what a server may have sealed with the right keys.
func FuzzUnseal(f *testing.F) {
	nonce := make([]byte, 32)
	f.Add([]byte("short"), false)
	f.Add(bytes.Repeat([]byte{0xff}, 64), true)
	config := securedBy(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt)
	f.Fuzz(func(t *testing.T, plain []byte, forge bool) {
		keys, err := symmetric(config, nonce, nonce)
		require.NoError(t, err)
		p := &peer{token: keys, tokenID: 3}
		head := p.head(final)
		raw := append(slices.Clone(head), plain...)
		if forge {
			plain = append(plain, make([]byte, (16-len(plain)%16)%16)...)
			raw = p.forge(head, plain)
		}
		opened, err := keys.unseal(raw, len(head))
		if err == nil {
			require.GreaterOrEqual(t, len(opened), sequenceHeader)
			require.LessOrEqual(t, len(opened), len(plain))
		}
	})
}
