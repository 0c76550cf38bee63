package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob/s3blob"
)

// s3Bucket is a bucket on S3 or a compatible server.
type s3Bucket struct {
	bucket
	client *s3.Client
	name   string
	custom bool // an endpoint is set
}

func openS3(ctx context.Context, options Options, location Location) (backend, error) {
	getenv := options.Getenv
	loaders := []func(*config.LoadOptions) error{}
	if key, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"); key != "" || secret != "" {
		if key == "" || secret == "" {
			return nil, &setupError{
				reason: "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set",
				hint:   "set both, or neither for the default credential chain",
			}
		}
		loaders = append(loaders, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(key, secret, getenv("AWS_SESSION_TOKEN"))))
	}
	if region := firstSet(getenv, "AWS_REGION", "AWS_DEFAULT_REGION"); region != "" {
		loaders = append(loaders, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, loaders...)
	if err != nil {
		return nil, &setupError{
			reason: "the AWS settings cannot be read: " + err.Error(),
			hint:   "check the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name (~/.aws when unset), and AWS_PROFILE",
			err:    err,
		}
	}
	endpoint := firstSet(getenv, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if o.Region == "" {
			o.Region = "us-east-1"
		}
		o.HTTPClient = &http.Client{
			Transport: options.Transport,
			// A redirected request would need a new signature.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		o.Credentials = credentialErrors{cfg.Credentials}
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.Backoff = maxAttempts, retry.BackoffDelayerFunc(retryDelay)
		})
		o.DisableLogOutputChecksumValidationSkipped = true
		o.APIOptions = append(o.APIOptions, outliveCancel)
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
			o.UsePathStyle = true
		}
		if endpoint != "" && getenv("AWS_REQUEST_CHECKSUM_CALCULATION") == "" {
			// Many S3-compatible servers do not support the newer checksums.
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		}
	})
	opened, err := s3blob.OpenBucket(ctx, client, location.Bucket,
		&s3blob.Options{RequestChecksumCalculation: client.Options().RequestChecksumCalculation})
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	return &s3Bucket{
		bucket: bucket{Bucket: opened, partSize: options.PartSize},
		client: client,
		name:   location.Bucket,
		custom: endpoint != "",
	}, nil
}

// retryDelay returns the delay before a retry. It is random, so that clients that failed together
// do not retry together.
func retryDelay(attempt int, _ error) (time.Duration, error) {
	longest := min(initialDelay<<min(attempt, 16), maxDelay)
	return longest/2 + rand.N(longest/2), nil
}

// check starts a multipart upload and aborts it: that requires the same permissions as writing, and
// leaves nothing.
func (b *s3Bucket) check(ctx context.Context, key string) error {
	begun, err := b.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: aws.String(b.name), Key: aws.String(key), ContentType: aws.String(contentType),
	})
	if err != nil {
		return err
	}
	_, err = b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: aws.String(b.name), Key: aws.String(key), UploadId: begun.UploadId,
	})
	return err
}

// firstSet returns the first of some variables that is set.
func firstSet(getenv func(string) string, names ...string) string {
	for _, name := range names {
		if value := getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// credentialErrors marks failures to get credentials.
type credentialErrors struct{ aws.CredentialsProvider }

func (t credentialErrors) Retrieve(ctx context.Context) (aws.Credentials, error) {
	got, err := t.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		err = &credentialsError{err}
	}
	return got, err
}
