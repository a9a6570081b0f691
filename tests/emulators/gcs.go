// Runs fake-gcs-server on a free port of the loopback, prints the port, and ends when stdin closes.
//
// Ending with stdin means that a test that is killed leaves no server behind.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// The XML API, at which objects are listed and read, answers for this host alone.
	host := listener.Addr().String()
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener:  true,
		Scheme:      "http",
		PublicHost:  host,
		ExternalURL: "http://" + host,
	})
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(listener, server.HTTPHandler())) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
