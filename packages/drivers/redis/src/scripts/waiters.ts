/**
 * Clients that wait for something under P: the set P:v, by when they came. A client that is woken asks again; one that is
 * gone is passed over. In a cluster nobody can tell who is gone (its messages come by another node), so all are woken.
 */
export const waking: string = `
local function wake(P,most)
  local woken=0
  while woken<most do
    local v=call('ZPOPMIN',P..':v')
    if #v==0 then return end
    local heard=call('PUBLISH','q:i:'..v[1],'w'..P)
    if heard>0 and string.sub(v[1],1,1)~='C' then woken=woken+1 end
  end
end`;
