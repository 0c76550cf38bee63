package storage

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob/azureblob"
)

// azureContainer is a container on Azure Blob Storage.
type azureContainer struct {
	bucket
	client  *container.Client
	name    string
	account string
}

func openAzure(options Options, location Location) (backend, error) {
	account := options.Getenv("AZURE_STORAGE_ACCOUNT_NAME")
	if account == "" {
		return nil, &setupError{
			reason: "the account is not known, and is no part of the URL",
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
	opened, err := azureblob.OpenBucket(context.Background(), client, nil)
	if err != nil {
		return nil, fmt.Errorf("open container: %w", err)
	}
	return &azureContainer{
		bucket:  bucket{Bucket: opened, partSize: options.PartSize},
		client:  client,
		name:    location.Bucket,
		account: account,
	}, nil
}

// newAzureClient takes the key that the environment has, and the default chain when it has none.
func newAzureClient(options Options, account, address string) (*container.Client, error) {
	settings := &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: &http.Client{Transport: options.Transport},
		Retry:     policy.RetryOptions{MaxRetries: attempts - 1, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: longestPause},
	}}
	if key := options.Getenv("AZURE_STORAGE_ACCOUNT_KEY"); key != "" {
		shared, err := container.NewSharedKeyCredential(account, key)
		if err != nil {
			// The error may quote the key.
			return nil, &setupError{
				reason: "the account's key is no base64",
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
	return container.NewClient(address, toldIdentity{identity}, settings)
}

// check tries to write what cannot be written: an object in the place of a version that never was, with a checksum that
// it does not have. That the container exists and the credentials permit it is looked at before.
func (b *azureContainer) check(ctx context.Context, key string) error {
	sum := md5.Sum([]byte("another object"))
	etag := azcore.ETag(`"0x8D00000000000000"`)
	_, err := b.client.NewBlockBlobClient(key).Upload(ctx, streaming.NopCloser(bytes.NewReader([]byte{0})), &blockblob.UploadOptions{
		TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]),
		AccessConditions:        &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &etag}},
	})
	if bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.TargetConditionNotMet, bloberror.MD5Mismatch, bloberror.BlobNotFound) {
		return nil
	}
	return err
}

// toldIdentity tells a failure to get a token from other failures.
type toldIdentity struct{ azcore.TokenCredential }

func (t toldIdentity) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
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
	reason = fmt.Sprintf("the provider answered %d: %s", response.StatusCode, reason)
	switch code := bloberror.Code(response.ErrorCode); {
	case code == bloberror.ContainerNotFound, code == bloberror.ContainerBeingDeleted, code == bloberror.ContainerDisabled:
		return finding{
			ErrNotExist, fmt.Sprintf("the container %q does not exist in the account %q", b.name, b.account),
			"check its name and AZURE_STORAGE_ACCOUNT_NAME",
		}
	case code == bloberror.BlobNotFound:
		return finding{ErrNotExist, "the object does not exist", "check its key"}
	case code == bloberror.AuthenticationFailed, code == bloberror.InvalidAuthenticationInfo, code == bloberror.NoAuthenticationInformation:
		return finding{ErrPermission, reason, "check AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"}
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return finding{
			ErrPermission, reason,
			"give the identity the role Storage Blob Data Contributor on the container (docs/storage.md), and check the account's firewall",
		}
	case response.StatusCode == http.StatusNotFound:
		return finding{ErrNotExist, reason, "check the container and the key"}
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500:
		return finding{ErrUnavailable, reason, "try again later"}
	}
	return finding{reason: reason}
}
