package storage

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

const (
	// abortTime is how long an upload in parts may take to begin, and to be given up, when the caller has lost interest.
	abortTime = 15 * time.Second
	// partGrace is how long parts that are under way go on when the caller has lost interest.
	partGrace = 5 * time.Second
	// settleTime is how long a part may be on its way into the storage after its connection broke.
	settleTime = time.Second
)

// outliveCancel lets requests outlive the cancelling of an upload. The one that gives it up: under a context that is
// cancelled it would never be sent, and the parts would stay. The one that begins it: cut off before its answer, it would
// leave an upload that nobody knows the name of. And, for a while, parts under way: a storage may keep one that was cut
// off, even after the upload was given up.
func outliveCancel(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("OutliveCancel", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
		given, _ := ctx.Value(givenUpKey{}).(*givenUp)
		operation := awsmiddleware.GetOperationName(ctx)
		if operation == "AbortMultipartUpload" {
			if given != nil {
				defer func() { given.set(in.Parameters, err) }()
			}
		} else if ctx.Err() != nil {
			return out, metadata, context.Cause(ctx)
		}
		var cancel context.CancelFunc
		switch operation {
		case "AbortMultipartUpload", "CreateMultipartUpload":
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		case "UploadPart":
			ctx, cancel = withGrace(ctx, partGrace)
			if given != nil {
				defer func() { given.part(err) }()
			}
		default:
			return next.HandleInitialize(ctx, in)
		}
		defer cancel()
		return next.HandleInitialize(ctx, in)
	}), middleware.After) // the operation has its name by then
}

// withGrace gives a context that is cancelled some time after its parent.
func withGrace(parent context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		timer := time.AfterFunc(grace, func() { cancel(context.Cause(parent)) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

type givenUpKey struct{}

// givenUp is how the giving up of an upload went, which the uploader keeps to itself.
type givenUp struct {
	mu     sync.Mutex
	upload *s3.AbortMultipartUploadInput // the request that gave it up; nil if there was none
	err    error                         // what became of that request
	loose  bool                          // a part may yet arrive
}

func (g *givenUp) set(request any, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.upload, _ = request.(*s3.AbortMultipartUploadInput)
	g.err = err
}

func (g *givenUp) part(err error) {
	if err == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.loose = true
}

func (b *s3Bucket) upload(ctx context.Context, key string, r io.Reader) error {
	given := new(givenUp)
	err := b.bucket.upload(context.WithValue(ctx, givenUpKey{}, given), key, r)
	if err == nil || given.upload == nil {
		return err
	}
	left := given.err
	if given.loose && left == nil {
		time.Sleep(settleTime) // no event tells that the storage is done with a request whose connection broke
		left = b.abort(ctx, given.upload)
	}
	if left != nil {
		return errors.Join(err, &leftError{left})
	}
	return err
}

// abort gives an upload up that may have been given up before.
func (b *s3Bucket) abort(ctx context.Context, upload *s3.AbortMultipartUploadInput) error {
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: upload.Bucket, Key: upload.Key, UploadId: upload.UploadId,
	})
	if code(err) == "NoSuchUpload" {
		return nil
	}
	return err
}
