package storage

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	gstorage "cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"gocloud.dev/blob/gcsblob"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

// googleBucket is a bucket on Google Cloud Storage.
type googleBucket struct {
	bucket
	client *gstorage.Client
	name   string
}

func openGoogle(ctx context.Context, options Options, location Location) (backend, error) {
	limit := new(retryLimit)
	client, err := newGoogleClient(ctx, options, limit)
	if err != nil {
		return nil, err
	}
	// Repeating a write is harmless: it writes the same object.
	client.SetRetry(gstorage.WithPolicy(gstorage.RetryAlways), gstorage.WithErrorFunc(limit.retry),
		gstorage.WithBackoff(gax.Backoff{Initial: initialDelay, Max: maxDelay, Multiplier: 2}))
	opened, err := gcsblob.OpenBucket(ctx, nil, location.Bucket, &gcsblob.Options{Client: client})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open bucket: %w", err), client.Close())
	}
	return &googleBucket{
		bucket: bucket{Bucket: opened, partSize: options.PartSize, prepare: func(asFunc func(any) bool) error {
			var w *gstorage.Writer
			if asFunc(&w) {
				w.ChunkRetryDeadline = 4 * maxDelay
			}
			return nil
		}},
		client: client,
		name:   location.Bucket,
	}, nil
}

func newGoogleClient(ctx context.Context, options Options, limit *retryLimit) (*gstorage.Client, error) {
	transport := options.Transport
	settings := []option.ClientOption{option.WithoutAuthentication()}
	if host := options.Getenv("STORAGE_EMULATOR_HOST"); host != "" {
		if !strings.Contains(host, "://") {
			host = "http://" + host
		}
		settings = append(settings, option.WithEndpoint(strings.TrimSuffix(host, "/")+"/storage/v1/"))
	} else {
		credentials, err := googleCredentials(ctx, options)
		if err != nil {
			return nil, err
		}
		transport = &oauth2.Transport{Base: transport, Source: googleTokenErrors{credentials.TokenSource}}
	}
	settings = append(settings, option.WithHTTPClient(&http.Client{Transport: limit.watch(transport)}))
	client, err := gstorage.NewClient(ctx, settings...)
	if err != nil {
		return nil, &setupError{reason: "create the client: " + err.Error(), hint: "check STORAGE_EMULATOR_HOST", err: err}
	}
	return client, nil
}

// googleCredentials uses the key file in the environment, or the default credential chain if there
// is none.
func googleCredentials(ctx context.Context, options Options) (*google.Credentials, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: options.Transport})
	for _, name := range []string{"GOOGLE_SERVICE_ACCOUNT", "GOOGLE_APPLICATION_CREDENTIALS"} {
		file := options.Getenv(name)
		if file == "" {
			continue
		}
		key, err := os.ReadFile(file)
		if err != nil {
			return nil, &setupError{reason: "the key cannot be read: " + err.Error(), hint: name + " must be the path of a JSON key", err: err}
		}
		var kind struct {
			Type google.CredentialsType `json:"type"`
		}
		err = json.Unmarshal(key, &kind)
		if err == nil {
			var got *google.Credentials
			if got, err = google.CredentialsFromJSONWithType(ctx, key, kind.Type, gstorage.ScopeReadWrite); err == nil {
				return got, nil
			}
		}
		return nil, &setupError{
			reason: fmt.Sprintf("%s is not a service account key: %v", file, err),
			hint:   name + " must be the path of a JSON key",
			err:    err,
		}
	}
	got, err := google.FindDefaultCredentials(ctx, gstorage.ScopeReadWrite)
	if err != nil {
		return nil, &setupError{
			reason: "there are no Google credentials",
			hint:   "set GOOGLE_SERVICE_ACCOUNT to the path of a JSON key, or use workload identity (docs/storage.md)",
			err:    err,
		}
	}
	return got, nil
}

func (b *googleBucket) close() {
	b.bucket.close()
	b.client.Close()
}

// check tries a write that cannot succeed: it replaces a version that does not exist, with a wrong
// checksum. The server checks first that the bucket exists and that the credentials grant access.
func (b *googleBucket) check(ctx context.Context, key string) error {
	w := b.client.Bucket(b.name).Object(key).If(gstorage.Conditions{GenerationMatch: 1}).NewWriter(ctx)
	sum := md5.Sum([]byte("another object"))
	w.ContentType, w.MD5, w.ChunkSize = contentType, sum[:], 0
	_, err := w.Write(bytes.Repeat([]byte{0}, 1))
	err = errors.Join(err, w.Close())
	var api *googleapi.Error
	if errors.As(err, &api) && (api.Code == http.StatusPreconditionFailed || api.Code == http.StatusBadRequest) {
		return nil
	}
	return err
}
