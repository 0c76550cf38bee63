package storage

import (
	"errors"
	"fmt"
	"net/http"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func (b *s3Bucket) explain(err error) finding {
	var creds *credentialsError
	if errors.As(err, &creds) {
		return finding{
			ErrPermission, "there are no AWS credentials",
			"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assign a role to the pod (docs/storage.md)",
		}
	}
	var response *smithyhttp.ResponseError
	var status int
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		if status != 0 {
			return b.explainStatus(status, fmt.Sprintf("it responded %d %s", status, http.StatusText(status)))
		}
		return finding{}
	}
	reason := api.ErrorCode()
	if text := api.ErrorMessage(); text != "" {
		reason = text + " (" + reason + ")"
	}
	switch api.ErrorCode() {
	case "NoSuchBucket":
		return finding{ErrNotExist, fmt.Sprintf("the bucket %q does not exist", b.name), "check its name, AWS_ENDPOINT_URL and the account"}
	case "NoSuchKey", "NotFound":
		return finding{ErrNotExist, "the object does not exist", "check its key"}
	case "InvalidAccessKeyId", "XAdminUserNotFound": // the latter is of versitygw
		return finding{ErrPermission, reason, "check AWS_ACCESS_KEY_ID"}
	case "SignatureDoesNotMatch":
		return finding{ErrPermission, reason, "check AWS_SECRET_ACCESS_KEY"}
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return finding{ErrPermission, reason, "renew the temporary credentials (AWS_SESSION_TOKEN)"}
	case "RequestTimeTooSkewed":
		return finding{ErrPermission, reason, "set this machine's clock"}
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently":
		hint := "set AWS_REGION to the bucket's region"
		if region := bucketRegion(response); region != "" {
			hint = "set AWS_REGION=" + region
		}
		return finding{nil, "the bucket is in another region: " + reason, hint}
	}
	return b.explainStatus(status, reason)
}

func (b *s3Bucket) explainStatus(status int, reason string) finding {
	switch {
	case status == http.StatusMovedPermanently:
		return finding{nil, "the bucket is in another region: " + reason, "set AWS_REGION to the bucket's region"}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		hint := fmt.Sprintf("allow s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on arn:aws:s3:::%s/* (docs/storage.md)", b.name)
		if b.custom {
			hint = "let the access key read and write in the bucket, and check AWS_ENDPOINT_URL"
		}
		return finding{ErrPermission, reason, hint}
	case status == http.StatusNotFound:
		return finding{ErrNotExist, reason, "check the bucket, the key and AWS_ENDPOINT_URL"}
	case status == http.StatusTooManyRequests || status >= 500:
		return finding{ErrUnavailable, fmt.Sprintf("the provider responded %d: %s", status, reason), "try again later"}
	case status != 0:
		return finding{reason: fmt.Sprintf("the provider responded %d: %s", status, reason)}
	}
	return finding{}
}

// bucketRegion returns the region of a bucket according to S3.
func bucketRegion(response *smithyhttp.ResponseError) string {
	if response == nil || response.Response == nil {
		return ""
	}
	return response.Response.Header.Get("X-Amz-Bucket-Region")
}

// errorCode returns the provider's name of a failure.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}
