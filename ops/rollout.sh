#!/bin/sh
# Puts one image on the cluster of $KUBECONFIG: migrations first, then every Deployment, one pod after the other. When one of
# them does not become ready in five minutes, all go back to the release before. IMAGE is name:tag.
set -eu
: "${IMAGE:?name:tag of the image to roll out}"
cd -- "$(dirname -- "$0")/.."

name=${IMAGE%:*}
tag=${IMAGE##*:}
kubectl --namespace breadmate delete job prepare --ignore-not-found
kubectl kustomize k8s/overlays/prod | sed "s|image: ghcr.io/breadmate/breadmate:.*|image: $name:$tag|" | kubectl apply -f -
kubectl --namespace breadmate wait --for=condition=complete --timeout=300s job/prepare

deployments=$(kubectl --namespace breadmate get deployments --output name)
for deployment in $deployments; do
    if ! kubectl --namespace breadmate rollout status "$deployment" --timeout=300s; then
        echo "$deployment did not become ready: going back" >&2
        for each in $deployments; do
            kubectl --namespace breadmate rollout undo "$each"
        done
        exit 1
    fi
done
