#!/usr/bin/env bash
# SOLUTION: such a segment becomes a property of the object's own, so that nothing is lost and no prototype is changed.
# VERIFIES: a solution that keeps what the reference drops is one.
# SAMPLE: hughsk__flat-5.0.1
# TAMPERING: none
cat >> index.js <<'JS'

function getOwn (object, key) {
  return Object.prototype.hasOwnProperty.call(object, key) ? object[key] : undefined
}

function setOwn (object, key, value) {
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true })
}
JS
sed -i '/^    while (key2 !== undefined) {$/,/^  return result$/{
s/call(recipient\[key1\])/call(getOwn(recipient, key1))/
s/typeof recipient\[key1\] !==/typeof getOwn(recipient, key1) !==/
s/!overwrite \&\& recipient\[key1\] == null/!overwrite \&\& getOwn(recipient, key1) == null/
s/^        recipient\[key1\] = ($/        setOwn(recipient, key1, (/
s/^        )$/        ))/
s/^      recipient = recipient\[key1\]$/      recipient = getOwn(recipient, key1)/
s/^    recipient\[key1\] = unflatten(target\[key\], opts)$/    setOwn(recipient, key1, unflatten(target[key], opts))/
}' index.js
