// A verifier as gateways in Go are that are built on aws-sdk-go-v2: it signs what the client says that it signed once
// more, and compares. It gets requests that are parsed already, as net/http hands them over, and checks nothing else.
//
// The first line of its input is a JSON document of the requests; each further line is a number of verifications, which
// it answers with the nanoseconds of CPU time that they took, all threads.
package main

import (
	"bufio"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const timeFormat = "20060102T150405Z"

type input struct {
	Region, Service                            string
	AccessKeyID, SecretAccessKey, SessionToken string
	Presigned                                  bool
	Requests                                   []struct {
		Method, Target string
		Headers        [][2]string
	}
}

// Its cache of signing keys is inside the signer.
type verifier struct {
	signer *v4.Signer
	known  aws.Credentials
	input  input
}

func (v *verifier) options(options *v4.SignerOptions) {
	options.DisableURIPathEscaping = v.input.Service == "s3"
}

func (v *verifier) credentialsOf(credential string) (aws.Credentials, bool) {
	id, _, found := strings.Cut(credential, "/")
	return v.known, found && id == v.known.AccessKeyID
}

func (v *verifier) verifyHeader(request *http.Request) bool {
	var credential, signedHeaders, signature string
	authorization := strings.TrimPrefix(request.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	for _, part := range strings.Split(authorization, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			credential = value
		case "SignedHeaders":
			signedHeaders = value
		case "Signature":
			signature = value
		}
	}
	credentials, known := v.credentialsOf(credential)
	signedAt, err := time.Parse(timeFormat, request.Header.Get("X-Amz-Date"))
	if !known || err != nil {
		return false
	}
	again := copyOf(request, signedHeaders)
	payload := request.Header.Get("X-Amz-Content-Sha256")
	err = v.signer.SignHTTP(context.Background(), credentials, again, payload, v.input.Service, v.input.Region, signedAt, v.options)
	if err != nil {
		return false
	}
	_, expected, _ := strings.Cut(again.Header.Get("Authorization"), "Signature=")
	return subtle.ConstantTimeCompare([]byte(expected), []byte(signature)) == 1
}

func (v *verifier) verifyQuery(request *http.Request) bool {
	query := request.URL.Query()
	credentials, known := v.credentialsOf(query.Get("X-Amz-Credential"))
	signedAt, err := time.Parse(timeFormat, query.Get("X-Amz-Date"))
	if !known || err != nil {
		return false
	}
	credentials.SessionToken = query.Get("X-Amz-Security-Token")
	signature := query.Get("X-Amz-Signature")
	again := copyOf(request, query.Get("X-Amz-SignedHeaders"))
	query.Del("X-Amz-Signature")
	again.URL.RawQuery = query.Encode()
	signed, _, err := v.signer.PresignHTTP(context.Background(), credentials, again, "UNSIGNED-PAYLOAD", v.input.Service, v.input.Region, signedAt, v.options)
	if err != nil {
		return false
	}
	_, expected, _ := strings.Cut(signed, "X-Amz-Signature=")
	return subtle.ConstantTimeCompare([]byte(expected), []byte(signature)) == 1
}

// Only what was signed: the signer signs all that it finds.
func copyOf(request *http.Request, signedHeaders string) *http.Request {
	target := *request.URL
	again := &http.Request{Method: request.Method, URL: &target, Host: request.Host, Header: http.Header{}}
	for _, name := range strings.Split(signedHeaders, ";") {
		name = http.CanonicalHeaderKey(name)
		if values, found := request.Header[name]; found {
			again.Header[name] = values
		}
	}
	return again
}

func parsed(from input) ([]*http.Request, error) {
	var requests []*http.Request
	for _, one := range from.Requests {
		target, err := url.ParseRequestURI(one.Target)
		if err != nil {
			return nil, err
		}
		request := &http.Request{Method: one.Method, URL: target, Header: http.Header{}}
		for _, header := range one.Headers {
			if strings.EqualFold(header[0], "host") {
				request.Host = header[1]
			} else {
				request.Header.Add(header[0], header[1])
			}
		}
		requests = append(requests, request)
	}
	return requests, nil
}

func cpuNanoseconds() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func run() error {
	lines := bufio.NewReader(os.Stdin)
	first, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	v := verifier{signer: v4.NewSigner()}
	if err := json.Unmarshal(first, &v.input); err != nil {
		return err
	}
	v.known = aws.Credentials{AccessKeyID: v.input.AccessKeyID, SecretAccessKey: v.input.SecretAccessKey}
	requests, err := parsed(v.input)
	if err != nil {
		return err
	}
	verify := v.verifyHeader
	if v.input.Presigned {
		verify = v.verifyQuery
	}
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil
		}
		times, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			return err
		}
		begin := cpuNanoseconds()
		for n := 0; n < times; n++ {
			if !verify(requests[n%len(requests)]) {
				return fmt.Errorf("a good request was refused")
			}
		}
		fmt.Println(cpuNanoseconds() - begin)
	}
}

func main() {
	// A gateway has more in memory than this program, so that its collector runs less often.
	debug.SetGCPercent(1000)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
