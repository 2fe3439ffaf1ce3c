"""An S3-compatible object storage on loopback, as its own process."""

import os
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

import boto3
import psutil

from readerstudy.embedded import processes
from readerstudy.embedded.places import LOOPBACK, free_port

BUCKET = "studies"


class ObjectStorage:
    """`with ObjectStorage() as storage: run(environment | storage.environment)`"""

    def __enter__(self) -> Self:
        self.port = free_port()
        log = Path(tempfile.mkdtemp(prefix="readerstudy-s3-")) / "s3.log"
        words = [sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(self.port)]
        self.child = processes.launch(words, log, environment=dict(os.environ))
        processes.wait_for_answer("The object storage", self._answers, self.child, log)
        self.client().create_bucket(Bucket=BUCKET)
        return self

    def __exit__(self, *_: object) -> None:
        processes.end([psutil.Process(self.child.pid)], signal.SIGTERM, 20)
        self.child.wait(20)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "STORAGE_URL": f"s3://{BUCKET}/readerstudy",
            "S3_ENDPOINT": f"http://{LOOPBACK}:{self.port}",
            "S3_REGION": "us-east-1",
            "S3_ACCESS_KEY": "tests",
            "S3_SECRET_KEY": "only-for-tests",
        }

    def client(self) -> "boto3.client":
        return boto3.client(
            "s3",
            endpoint_url=f"http://{LOOPBACK}:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="tests",
            aws_secret_access_key="only-for-tests",
        )

    def stored(self) -> list[str]:
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/moto-api/", timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
