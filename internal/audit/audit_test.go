package audit

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func sample(seq int64) Event {
	return Event{Seq: seq, At: time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC), Actor: "anna", Kind: "ticket.closed", Ticket: 17,
		Data: json.RawMessage(`{"reason":"done \u003cb\u003e"}`), Rows: []RowDigest{{Row: "ticket/17", SHA256: strings.Repeat("ab", 32)}}}
}

// TestLeaf_BytesNeverChange holds the form that stored trees rest on.
func TestLeaf_BytesNeverChange(t *testing.T) {
	want := "postdesk event 1\n1:5\n16:1772600767000008\n4:anna\n13:ticket.closed\n2:17\n31:{\"reason\":\"done \\u003cb\\u003e\"}\n" +
		"97:[{\"row\":\"ticket/17\",\"sha256\":\"" + strings.Repeat("ab", 32) + "\"}]\n"
	if got := string(sample(5).Leaf()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := string((Event{Seq: 1, At: time.UnixMicro(2)}).Leaf()); got != "postdesk event 1\n1:1\n1:2\n0:\n0:\n1:0\n0:\n2:[]\n" {
		t.Errorf("empty event: %q", got)
	}
}

func TestLeaf_NoTwoEventsShareOne(t *testing.T) {
	a, b := sample(1), sample(1)
	a.Actor, a.Kind = "ab", "c"
	b.Actor, b.Kind = "a", "bc"
	if bytes.Equal(a.Leaf(), b.Leaf()) {
		t.Error("text moved between two fields unnoticed")
	}
}

func TestDigest_IsTheHashOfTheJSONForm(t *testing.T) {
	row := struct {
		ID    int64     `json:"id"`
		Later string    `json:"later,omitzero"`
		Due   time.Time `json:"due,omitzero"`
		Lease string    `json:"-"`
	}{ID: 1, Lease: "x"}
	want := "037c9214eef74cc3887f3a4f085b4e17d76280dafd273b0ee160c09c4ba1cfd4" // sha256 of {"id":1}
	if got := Digest(row); got != want {
		t.Errorf("digest %s", got)
	}
}

func TestTree_AgreesWithTlog(t *testing.T) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(positions))
		for i, p := range positions {
			out[i] = stored[p]
		}
		return out, nil
	})
	tree, err := NewTree(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(300) {
		if n%7 == 0 { // as after a restart
			edge, err := reader(Edge(n))
			if err != nil {
				t.Fatal(err)
			}
			if tree, err = NewTree(n, edge); err != nil {
				t.Fatal(err)
			}
		}
		leaf := sample(n + 1).Leaf()
		want, err := tlog.StoredHashes(n, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tree.Append(leaf)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || got[len(got)-1] != want[len(want)-1] {
			t.Fatalf("leaf %d: hashes differ", n)
		}
		stored = append(stored, got...)
		root, err := tree.Root()
		if err != nil {
			t.Fatal(err)
		}
		if wantRoot, err := tlog.TreeHash(n+1, reader); err != nil || root != wantRoot {
			t.Fatalf("root of %d leaves differs, %v", n+1, err)
		}
	}
	if _, err := NewTree(3, nil); err == nil {
		t.Error("a tree without its edge was made")
	}
}

func newKeys(t testing.TB) (note.Signer, note.Verifier, string) {
	t.Helper()
	private, public, err := note.GenerateKey(nil, "postdesk.example")
	if err != nil {
		t.Fatal(err)
	}
	if derived, err := VerifierKey(private); err != nil || derived != public {
		t.Errorf("derived %q, want %q, %v", derived, public, err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier, public
}

func TestVerifierKey_RefusesWhatIsNoKey(t *testing.T) {
	for _, key := range []string{"", "x", "PRIVATE+KEY+x+00000000+AAAA"} {
		if _, err := VerifierKey(key); err == nil {
			t.Errorf("%q was taken", key)
		}
	}
}

func TestCheckpoint_SurvivesSigningAndAFile(t *testing.T) {
	signer, verifier, _ := newKeys(t)
	_, stranger, _ := newKeys(t)
	var file bytes.Buffer
	for size := range int64(3) {
		signed, err := Sign(size, tlog.RecordHash([]byte{byte(size)}), signer)
		if err != nil {
			t.Fatal(err)
		}
		file.WriteString(signed + "\n")
	}
	for _, text := range [][]byte{file.Bytes(), bytes.ReplaceAll(file.Bytes(), []byte("\n"), []byte("\r\n")), bytes.TrimSpace(file.Bytes())} {
		list := SplitCheckpoints(text)
		if len(list) != 3 {
			t.Fatalf("%d checkpoints in %q", len(list), text)
		}
		for i, signed := range list[:2] {
			c, err := OpenCheckpoint(signed, verifier)
			if err != nil || c.Size != int64(i) || c.Origin != "postdesk.example" || c.Root != tlog.RecordHash([]byte{byte(i)}) {
				t.Errorf("%+v, %v", c, err)
			}
			if _, err := OpenCheckpoint(signed, stranger); err == nil {
				t.Error("a stranger's signature was taken")
			}
		}
	}
}

func TestCheckpoint_MalformedIsRefused(t *testing.T) {
	root := tlog.Hash{}.String()
	for _, text := range []string{"", "o\n", "o\n1\n" + root, "\n1\n" + root + "\n", "o\n-1\n" + root + "\n", "o\n01\n" + root + "\n", "o\n+1\n" + root + "\n",
		"o\n1\nAAAA\n", "o\n1\n" + root + "\nextra\n", "o\n99999999999999999999\n" + root + "\n"} {
		if c, err := parseCheckpoint(text); err == nil {
			t.Errorf("%q was taken as %+v", text, c)
		}
	}
}

// proofOf makes a tree of n events and proves one of them.
func proofOf(t testing.TB, signer note.Signer, n, leaf int64) Proof {
	t.Helper()
	var stored []tlog.Hash
	tree, err := NewTree(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		hashes, err := tree.Append(sample(i + 1).Leaf())
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
	}
	root, err := tree.Root()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Sign(n, root, signer)
	if err != nil {
		t.Fatal(err)
	}
	path, err := tlog.ProveRecord(n, leaf, tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(positions))
		for i, p := range positions {
			out[i] = stored[p]
		}
		return out, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return Proof{Event: sample(leaf + 1), Leaf: leaf, Path: path, Checkpoint: signed}
}

func TestProof_HoldsAfterJSONAndFailsWhenAnythingChanges(t *testing.T) {
	signer, _, public := newKeys(t)
	for range 20 {
		n := 1 + rand.Int64N(100)
		p := proofOf(t, signer, n, rand.Int64N(n))
		text, err := json.MarshalIndent(p, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		var read Proof
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		if err := read.Check(public); err != nil {
			t.Fatalf("proof %d of %d: %v", p.Leaf, n, err)
		}
	}
	p := proofOf(t, signer, 10, 3)
	changes := map[string]func(p *Proof){
		"data":       func(p *Proof) { p.Event.Data = json.RawMessage(`{}`) },
		"bad data":   func(p *Proof) { p.Event.Data = json.RawMessage(`{`) },
		"time":       func(p *Proof) { p.Event.At = p.Event.At.Add(time.Microsecond) },
		"digest":     func(p *Proof) { p.Event.Rows = nil },
		"leaf":       func(p *Proof) { p.Leaf++ },
		"far leaf":   func(p *Proof) { p.Leaf = 10 },
		"minus leaf": func(p *Proof) { p.Leaf = -1 },
		"path":       func(p *Proof) { p.Path = p.Path[1:] },
		"no path":    func(p *Proof) { p.Path = nil },
		"size":       func(p *Proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n10\n", "\n11\n", 1) },
		"nothing":    func(p *Proof) { p.Checkpoint = "" },
	}
	for name, change := range changes {
		changed := p
		change(&changed)
		if changed.Check(public) == nil {
			t.Errorf("%s was changed unnoticed", name)
		}
	}
	if p.Check("no key") == nil {
		t.Error("a bad key was taken")
	}
}

func FuzzCheckpoints(f *testing.F) {
	private, public, err := note.GenerateKey(nil, "postdesk.example")
	if err != nil {
		f.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		f.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		f.Fatal(err)
	}
	signed, err := Sign(7, tlog.Hash{}, signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(signed))
	f.Add([]byte(signed + "\n" + signed))
	f.Add([]byte("\n\n— x"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, part := range SplitCheckpoints(file) {
			if len(part) == 0 {
				t.Fatal("an empty checkpoint")
			}
			read, errRead := ReadCheckpoint(part)
			opened, err := OpenCheckpoint(part, verifier)
			if err == nil && (errRead != nil || opened != read) {
				t.Errorf("%q opens as %+v and reads as %+v, %v", part, opened, read, errRead)
			}
		}
	})
}

func FuzzProof(f *testing.F) {
	signer, _, public := newKeys(f)
	text, err := json.Marshal(proofOf(f, signer, 5, 2))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"leaf":9223372036854775807}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p Proof
		if json.Unmarshal(text, &p) == nil {
			_ = p.Check(public)
		}
	})
}
