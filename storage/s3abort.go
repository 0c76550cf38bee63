package storage

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// abortTime is how long an upload in parts may take to begin, and to be given up, when the caller has lost interest.
const abortTime = 30 * time.Second

// outliveCancel lets two requests outlive the cancelling of an upload. The one that gives the upload up: under a context
// that is cancelled it would never be sent, and the parts would stay. And the one that begins it: cut off before its
// answer, it would leave an upload that nobody knows the name of.
func outliveCancel(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("OutliveCancel", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		operation := awsmiddleware.GetOperationName(ctx)
		if operation != "AbortMultipartUpload" && operation != "CreateMultipartUpload" {
			return next.HandleInitialize(ctx, in)
		}
		if operation == "CreateMultipartUpload" && ctx.Err() != nil {
			return middleware.InitializeOutput{}, middleware.Metadata{}, context.Cause(ctx)
		}
		outcome, _ := ctx.Value(abortKey{}).(*abortOutcome)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		out, metadata, err := next.HandleInitialize(ctx, in)
		if operation == "AbortMultipartUpload" && outcome != nil {
			outcome.set(err)
		}
		return out, metadata, err
	}), middleware.Before)
}

type abortKey struct{}

// abortOutcome is how the giving up of an upload went, which the uploader itself keeps to itself.
type abortOutcome struct {
	mu  sync.Mutex
	err error
}

func (o *abortOutcome) set(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
}

func (o *abortOutcome) get() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

func (b *s3Bucket) upload(ctx context.Context, key string, r io.Reader) error {
	outcome := new(abortOutcome)
	err := b.bucket.upload(context.WithValue(ctx, abortKey{}, outcome), key, r)
	if left := outcome.get(); err != nil && left != nil {
		return errors.Join(err, &leftError{left})
	}
	return err
}
