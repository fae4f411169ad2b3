"""Start the service this image was made for: an image's entry point cannot hold a variable, this can."""

import os
import runpy

if __name__ == "__main__":
    runpy.run_module(f"{os.environ['SERVICE']}_service", run_name="__main__", alter_sys=True)
