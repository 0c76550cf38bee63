package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// azureContainer is a container on Azure Blob Storage. It does not use the library that the other
// clouds use, because that library renames objects whose key contains a percent sign.
type azureContainer struct {
	client   *container.Client
	name     string
	account  string
	shared   bool // the account key is used
	partSize int
}

func openAzure(options Options, location Location) (backend, error) {
	account := options.Getenv("AZURE_STORAGE_ACCOUNT_NAME")
	if account == "" {
		return nil, &setupError{
			reason: "the account is not set, and is not part of the URL",
			hint:   "set AZURE_STORAGE_ACCOUNT_NAME",
		}
	}
	endpoint := options.Getenv("AZURE_STORAGE_ENDPOINT")
	if endpoint == "" {
		endpoint = "https://" + account + ".blob.core.windows.net"
	}
	client, err := newAzureClient(options, account, strings.TrimSuffix(endpoint, "/")+"/"+location.Bucket)
	if err != nil {
		return nil, err
	}
	return &azureContainer{
		client:   client,
		name:     location.Bucket,
		account:  account,
		shared:   options.Getenv("AZURE_STORAGE_ACCOUNT_KEY") != "",
		partSize: options.PartSize,
	}, nil
}

// newAzureClient uses the key in the environment, or the default credential chain if there is none.
func newAzureClient(options Options, account, address string) (*container.Client, error) {
	settings := &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: &http.Client{Transport: options.Transport},
		Retry:     policy.RetryOptions{MaxRetries: maxAttempts - 1, RetryDelay: initialDelay, MaxRetryDelay: maxDelay},
	}}
	if key := options.Getenv("AZURE_STORAGE_ACCOUNT_KEY"); key != "" {
		shared, err := container.NewSharedKeyCredential(account, key)
		if err != nil {
			// The error may contain the key.
			return nil, &setupError{
				reason: "the account's key is not base64",
				hint:   "set AZURE_STORAGE_ACCOUNT_KEY to one of the account's two access keys",
			}
		}
		return container.NewClientWithSharedKeyCredential(address, shared, settings)
	}
	identity, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, &setupError{
			reason: "there are no Azure credentials",
			hint:   "set AZURE_STORAGE_ACCOUNT_KEY, or use workload identity (docs/storage.md)",
			err:    err,
		}
	}
	return container.NewClient(address, azureTokenErrors{identity}, settings)
}

func (b *azureContainer) open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	got, err := b.client.NewBlobClient(key).DownloadStream(ctx, nil)
	if err != nil {
		return nil, 0, err
	}
	size := int64(-1)
	if got.ContentLength != nil {
		size = *got.ContentLength
	}
	return got.NewRetryReader(ctx, nil), size, nil
}

// upload stages blocks and commits them at the end. Blocks of an object that is never committed
// cannot be removed: they are invisible, and Azure deletes them after a week.
func (b *azureContainer) upload(ctx context.Context, key string, r io.Reader) error {
	mime := contentType
	_, err := b.client.NewBlockBlobClient(key).UploadStream(ctx, &stickyReader{r: r}, &blockblob.UploadStreamOptions{
		BlockSize:   int64(b.partSize),
		Concurrency: maxConcurrentParts,
		HTTPHeaders: &blob.HTTPHeaders{BlobContentType: &mime},
	})
	return err
}

// check tries to overwrite a version that does not exist. The server checks first that the
// container exists and that the credentials grant access.
func (b *azureContainer) check(ctx context.Context, key string) error {
	etag := azcore.ETag(`"0x8D00000000000000"`)
	_, err := b.client.NewBlockBlobClient(key).Upload(ctx, streaming.NopCloser(bytes.NewReader(nil)), &blockblob.UploadOptions{
		AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &etag}},
	})
	if bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.TargetConditionNotMet, bloberror.BlobNotFound) {
		return nil
	}
	return err
}

func (b *azureContainer) close() {}

// azureTokenErrors marks failures to get a token.
type azureTokenErrors struct{ azcore.TokenCredential }

func (t azureTokenErrors) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.TokenCredential.GetToken(ctx, options)
	if err != nil {
		err = &credentialsError{err}
	}
	return token, err
}

func (b *azureContainer) explain(err error) finding {
	var creds *credentialsError
	if errors.As(err, &creds) {
		return finding{
			ErrPermission, "there are no Azure credentials that work",
			"set AZURE_STORAGE_ACCOUNT_KEY, or use workload identity (docs/storage.md)",
		}
	}
	var response *azcore.ResponseError
	if !errors.As(err, &response) {
		return finding{}
	}
	reason := response.ErrorCode
	if reason == "" {
		reason = http.StatusText(response.StatusCode)
	}
	reason = fmt.Sprintf("the provider responded %d: %s", response.StatusCode, reason)
	switch errorCode := bloberror.Code(response.ErrorCode); {
	case errorCode == bloberror.ContainerNotFound, errorCode == bloberror.ContainerBeingDeleted, errorCode == bloberror.ContainerDisabled:
		return finding{
			ErrNotExist, fmt.Sprintf("the container %q does not exist in the account %q", b.name, b.account),
			"check its name and AZURE_STORAGE_ACCOUNT_NAME",
		}
	case errorCode == bloberror.BlobNotFound:
		return finding{ErrNotExist, "the object does not exist", "check its key"}
	case errorCode == bloberror.AuthenticationFailed, errorCode == bloberror.InvalidAuthenticationInfo, errorCode == bloberror.NoAuthenticationInformation:
		return finding{ErrPermission, reason, "check AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"}
	case b.shared && response.StatusCode == http.StatusForbidden:
		return finding{
			ErrPermission, reason,
			"check AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, and the account's firewall",
		}
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return finding{
			ErrPermission, reason,
			"grant the identity the role Storage Blob Data Contributor on the container (docs/storage.md), and check the account's firewall",
		}
	case errorCode == bloberror.InvalidBlockList:
		return finding{ErrUnavailable, "another client wrote the object at the same time", "try again, or write to another key"}
	case response.StatusCode == http.StatusNotFound:
		return finding{ErrNotExist, reason, "check the container and the key"}
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500:
		return finding{ErrUnavailable, reason, "try again later"}
	}
	return finding{reason: reason}
}
