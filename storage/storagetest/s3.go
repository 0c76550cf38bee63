package storagetest

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// StartS3 starts an S3 server that verifies every signature, with a bucket in it.
func StartS3(t testing.TB) *Server {
	t.Helper()
	const name, key, secret = "traces", "AKIASIMKUBETEST", "a-secret-of-the-tests"
	address := freeAddress(t)
	start(t, address, program(t, "versitygw"), "--port", address, "--access", key, "--secret", secret, "--quiet", "--keep-alive",
		"posix", "--sidecar", t.TempDir(), t.TempDir())
	proxy := NewProxy(t, address)
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + address),
		Region:       "us-east-1",
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(key, secret, ""),
		HTTPClient:   newHTTPClient(t),
	})
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)}); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"AWS_ENDPOINT_URL": "http://" + proxy.Address(), "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret,
	}
	return &Server{
		Env: env,
		Wrong: map[string]map[string]string{
			"unknown key":  with(env, "AWS_ACCESS_KEY_ID", "AKIANOBODY"),
			"wrong secret": with(env, "AWS_SECRET_ACCESS_KEY", "not-the-secret"),
			"no secret":    with(env, "AWS_SECRET_ACCESS_KEY", ""),
		},
		Prefix:  "s3://" + name + "/",
		Missing: "s3://missing/",
		Proxy:   proxy,
		objects: func(ctx context.Context) ([]string, error) {
			var keys []string
			pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(name)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return nil, err
				}
				for _, object := range page.Contents {
					keys = append(keys, aws.ToString(object.Key))
				}
			}
			return keys, nil
		},
		unfinished: func(ctx context.Context) ([]string, error) {
			found, err := client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: aws.String(name)})
			if err != nil {
				return nil, err
			}
			var keys []string
			for _, upload := range found.Uploads {
				keys = append(keys, aws.ToString(upload.Key))
			}
			return keys, nil
		},
		sweep: func(ctx context.Context) error {
			found, err := client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: aws.String(name)})
			if err != nil {
				return err
			}
			for _, upload := range found.Uploads {
				_, err = client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
					Bucket: aws.String(name), Key: upload.Key, UploadId: upload.UploadId,
				})
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}
