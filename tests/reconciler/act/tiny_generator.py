# ruff: noqa: PTH123
# Without pathlib, which is slow to import: this is started hundreds of times.
"""A skill's source that writes three rows: tiny_generator.py [--say TEXT] --out FILE"""

import subprocess
import sys
import time

ROW = '{"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "%s"}]}\n'
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
behaviour = arguments.get("--behave", "well")
if behaviour == "hang":
    subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)", arguments["--out"]])
    time.sleep(600)
if behaviour == "fail":
    sys.exit("no numbers left")
if behaviour != "forget":
    with open(arguments["--out"], "w", encoding="utf-8") as file:
        file.write(ROW % arguments.get("--answer", "2") * (10**6 if behaviour == "flood" else 3))
        if behaviour == "torn":
            file.write('{"messages": [')
print("made them", sys.stdin.read())
