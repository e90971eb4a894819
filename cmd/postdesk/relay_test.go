package main

import (
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
)

// relay passes bytes between the program and a server and counts those that the server sends.
type relay struct {
	port int
	read atomic.Int64
}

func countingRelay(t testing.TB, to string) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	r := &relay{port: ln.Addr().(*net.TCPAddr).Port}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go r.pass(c, to)
		}
	}()
	return r
}

func (r *relay) pass(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, io.TeeReader(server, r))
}

// Write counts.
func (r *relay) Write(b []byte) (int, error) {
	r.read.Add(int64(len(b)))
	return len(b), nil
}

// sameOwner gives a file to the owner of another, where the test may.
func sameOwner(file string, of os.FileInfo) error {
	st, ok := of.Sys().(*syscall.Stat_t)
	if !ok || os.Getuid() != 0 {
		return nil
	}
	return os.Chown(file, int(st.Uid), int(st.Gid))
}
