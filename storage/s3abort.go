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
	// abortTime is the timeout for starting and aborting a multipart upload after the caller's context
	// is cancelled.
	abortTime = 15 * time.Second
	// partGrace is how long uploads of parts continue after the caller's context is cancelled.
	partGrace = 5 * time.Second
	// settleTime is how long the storage may take to store a part after its connection was closed.
	settleTime = time.Second
)

// outliveCancel lets some requests continue after an upload is cancelled. The request that aborts
// the upload: with a cancelled context it would never be sent, and the parts would remain. The
// request that starts the upload: if it were cut off before its response, the upload's ID would not
// be known. And, for a limited time, uploads of parts: a storage may keep a part that was cut off,
// even after the upload was aborted.
func outliveCancel(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("OutliveCancel", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
		result, _ := ctx.Value(abortResultKey{}).(*abortResult)
		operation := awsmiddleware.GetOperationName(ctx)
		if operation == "AbortMultipartUpload" {
			if result != nil {
				defer func() { result.set(in.Parameters, err) }()
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
			if result != nil {
				defer func() { result.part(err) }()
			}
		default:
			return next.HandleInitialize(ctx, in)
		}
		defer cancel()
		return next.HandleInitialize(ctx, in)
	}), middleware.After) // the operation has its name by then
}

// withGrace returns a context that is cancelled some time after its parent.
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

type abortResultKey struct{}

// abortResult is the outcome of aborting an upload, which the uploader does not report.
type abortResult struct {
	mu          sync.Mutex
	upload      *s3.AbortMultipartUploadInput // the request that aborted it; nil if there was none
	err         error                         // the result of that request
	pendingPart bool                          // a part may still arrive
}

func (r *abortResult) set(request any, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.upload, _ = request.(*s3.AbortMultipartUploadInput)
	r.err = err
}

func (r *abortResult) part(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pendingPart = true
}

func (b *s3Bucket) upload(ctx context.Context, key string, r io.Reader) error {
	result := new(abortResult)
	err := b.bucket.upload(context.WithValue(ctx, abortResultKey{}, result), key, r)
	if err == nil || result.upload == nil {
		return err
	}
	left := result.err
	if result.pendingPart && left == nil {
		// There is no event for when the storage has finished a request whose connection was closed.
		time.Sleep(settleTime)
		left = b.abort(ctx, result.upload)
	}
	if left != nil {
		return errors.Join(err, &cleanupError{left})
	}
	return err
}

// abort aborts an upload that may have been aborted before.
func (b *s3Bucket) abort(ctx context.Context, upload *s3.AbortMultipartUploadInput) error {
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: upload.Bucket, Key: upload.Key, UploadId: upload.UploadId,
	})
	if errorCode(err) == "NoSuchUpload" {
		return nil
	}
	return err
}
